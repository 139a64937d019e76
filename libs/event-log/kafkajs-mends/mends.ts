/**
 * Every function of kafkajs that is replaced; each file says what was wrong (ADR 0007). To be loaded
 * before kafkajs itself. The first two stand in for whole modules, so nothing may have loaded those.
 */
import './partition-grouping.ts';
import './record-encoding.ts';
import './fresh-connection.ts';
import './idle-request-queue.ts';
import './mute-connection.ts';
import './offset-reset.ts';
import './batch-decoding.ts';
import './refused-partitions.ts';
import './clock-set-back.ts';
