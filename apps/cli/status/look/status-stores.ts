import { IssuerProgress } from '#event-log/inspect/issuer-progress.ts';
import { LagTimes } from '#event-log/inspect/lag-times.ts';
import { LogAdmin } from '#event-log/inspect/log-admin.ts';
import { RecordTimes } from '#event-log/inspect/record-times.ts';
import { createKafka } from '#event-log/kafka-client.ts';
import { GateConnection } from '#gate/gate-connection.ts';
import { GateKeyspace } from '#gate/gate-keyspace.ts';
import { Gate } from '#gate/gate.ts';
import { RedisConnection } from '#gate/redis-connection.ts';
import { CouponLedger } from '#ledger/coupons/coupon-ledger.ts';
import { DeadLetterLedger } from '#ledger/dead-letters/dead-letter-ledger.ts';
import { LedgerConnection } from '#ledger/connection/ledger-connection.ts';
import type { Config } from '#platform/config/config.ts';
import { pauseFor } from '#platform/work/waiting.ts';
import { jobPlace } from '#stores/job-place.ts';

/** No store is waited for longer: the others are shown all the same. */
export const answerMs = 1_500;
const closeMs = 500;

/** Everything a status asks, each over a connection of its own, none of them waited for. */
export interface StatusStores {
  gateConnection: GateConnection;
  gate: Gate;
  keyspace: GateKeyspace;
  jobs: RedisConnection;
  ledger: LedgerConnection;
  coupons: CouponLedger;
  deadLetters: DeadLetterLedger;
  admin: LogAdmin;
  issuers: IssuerProgress;
  lagTimes: LagTimes;
  close(): Promise<void>;
}

export function openStatusStores(config: Config): StatusStores {
  // kafkajs asks Node now and then for a time-out that has passed, and Node would say so on the screen.
  process.removeAllListeners('warning');
  const gateConnection = new GateConnection({ ...config, GATE_TIMEOUT_MS: answerMs });
  const jobs = new RedisConnection(jobPlace(config));
  const ledger = new LedgerConnection(
    { ...config, MYSQL_POOL_SIZE: 2 },
    { queryTimeoutMs: 2 * answerMs },
  );
  ledger.start();
  const kafka = createKafka(config, 'firstcome-status');
  const admin = new LogAdmin(kafka, answerMs);
  const issuers = new IssuerProgress(admin, config.KAFKA_TOPIC_PREFIX);
  const recordTimes = new RecordTimes(kafka, issuers.topic);
  return {
    gateConnection,
    gate: new Gate(gateConnection, config.GATE_KEY_PREFIX),
    keyspace: new GateKeyspace(gateConnection, config.GATE_KEY_PREFIX),
    jobs,
    ledger,
    coupons: new CouponLedger(ledger),
    deadLetters: new DeadLetterLedger(ledger),
    admin,
    issuers,
    lagTimes: new LagTimes(recordTimes),
    close: async () => {
      gateConnection.close();
      jobs.close();
      // They may wait for a server that does not answer, and nobody waits for them.
      const closing = Promise.all([ledger.close(), admin.close(), recordTimes.close()]);
      await Promise.race([closing, pauseFor(closeMs)]);
    },
  };
}
