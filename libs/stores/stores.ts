import { kafkaChecks } from '#event-log/checks/kafka-checks.ts';
import { IssuerProgress } from '#event-log/inspect/issuer-progress.ts';
import { LogAdmin } from '#event-log/inspect/log-admin.ts';
import { RecordTimes } from '#event-log/inspect/record-times.ts';
import { createKafka } from '#event-log/kafka-client.ts';
import { EventPublisher } from '#event-log/publish/event-publisher.ts';
import { IssuanceLog } from '#event-log/publish/issuance-log.ts';
import { topicNames } from '#event-log/topics.ts';
import { redisPromises } from '#gate/checks/redis-checks.ts';
import { DecidedChannel } from '#gate/decided-channel.ts';
import { Gate } from '#gate/gate.ts';
import { GateConnection } from '#gate/gate-connection.ts';
import { GateKeyspace } from '#gate/gate-keyspace.ts';
import { Holdings } from '#gate/holdings.ts';
import { IdempotencyKeys } from '#gate/idempotency-keys.ts';
import { StatusHints } from '#gate/status-hints.ts';
import { CouponLedger } from '#ledger/coupons/coupon-ledger.ts';
import { toLogFunction } from '#platform/logging/logging.ts';
import { openLedger } from './open-ledger.ts';
import type { Opener, StoreLimits } from './opener.ts';
import { watchChecks } from './opener.ts';

/**
 * A `publisher` is the log, to write to as well; the `channel` is where the gate Redis tells what was
 * decided.
 */
export type StoreName = 'gate' | 'ledger' | 'log' | 'publisher' | 'channel';

/** Of the stores with these names, what they are used by; nothing else is in the type. */
export type Stores<Names extends StoreName> = Of<Names, 'parts'>;

export interface OpenStores<Names extends StoreName> {
  stores: Stores<Names>;
  /** What their health is judged by, under the names that `/health/ready` shows. */
  probes: Of<Names, 'probes'>;
  /** What their health is told by besides: nobody is unready for it. */
  reports: Of<Names, 'reports'>;
  /** Resolves once gate and ledger answer; after `timeoutMs` rejects with what is missing, in words. */
  connected(timeoutMs: number): Promise<void>;
  /** For when nothing that uses them is under way any more. */
  close(): Promise<void>;
}

/**
 * Opens the stores that a process asks for. Waits for none: each connects in the background for as
 * long as it takes, and again when it was lost. Throws when a CA file cannot be read.
 */
export function openStores<Names extends StoreName>(
  opener: Opener,
  names: readonly Names[],
  limits: StoreLimits = {},
): OpenStores<Names> {
  const asked = new Set<StoreName>(names);
  const log = asked.has('log') ? openLog(opener) : undefined;
  const gate = asked.has('gate') ? openGate(opener) : undefined;
  const ledger = asked.has('ledger') ? openLedger(opener, limits) : undefined;
  const publisher = asked.has('publisher')
    ? openPublisher(opener, ledger?.parts.coupons)
    : undefined;
  const channel = asked.has('channel') ? openChannel(opener) : undefined;
  const parts = {
    ...log?.parts,
    ...publisher?.parts,
    ...gate?.parts,
    ...ledger?.parts,
    ...channel?.parts,
  };
  const probes = { ...gate?.probes, ...publisher?.probes, ...ledger?.probes };
  const reports = { ...publisher?.reports, ...channel?.reports };
  return {
    stores: parts as Of<Names, 'parts'>,
    probes: probes as Of<Names, 'probes'>,
    reports: reports as Of<Names, 'reports'>,
    connected: async (timeoutMs) => {
      await ledger?.connected(timeoutMs);
      await gate?.connected(timeoutMs);
    },
    close: async () => {
      // The publisher first: it finishes what is being published.
      await publisher?.close();
      await log?.close();
      channel?.close();
      gate?.close();
      await ledger?.close();
    },
  };
}

interface Opened {
  gate: ReturnType<typeof openGate>;
  ledger: ReturnType<typeof openLedger>;
  log: ReturnType<typeof openLog>;
  publisher: ReturnType<typeof openPublisher>;
  channel: ReturnType<typeof openChannel>;
}

type Of<Names, What extends 'parts' | 'probes' | 'reports'> = If<Names, 'gate', What> &
  If<Names, 'ledger', What> &
  If<Names, 'log', What> &
  If<Names, 'publisher', What> &
  If<Names, 'channel', What>;

type If<
  Names,
  Name extends StoreName,
  What extends 'parts' | 'probes' | 'reports',
> = Name extends Names ? Opened[Name][What] : unknown;

function openGate({ config, telemetry }: Opener) {
  const connection = new GateConnection(config);
  const prefix = config.GATE_KEY_PREFIX;
  const settings = watchChecks(redisPromises(connection, 'redis.gate'), telemetry);
  return {
    parts: {
      gateConnection: connection,
      gate: new Gate(connection, prefix, telemetry?.operations),
      keyspace: new GateKeyspace(connection, prefix),
      hints: new StatusHints(connection, prefix, config.STATUS_HINT_TTL_S),
      holdings: new Holdings(connection, prefix),
      idempotencyKeys: new IdempotencyKeys(connection, prefix, config.IDEMPOTENCY_KEY_TTL_S),
    },
    probes: { gate: () => connection.problem(), gate_promises: settings.promises },
    reports: { gate_settings: settings.warnings },
    connected: (timeoutMs: number) => connection.connected(timeoutMs),
    close: () => {
      void settings.stop();
      connection.close();
    },
  };
}

function openChannel({ config }: Opener) {
  const decidedChannel = new DecidedChannel(config);
  return {
    parts: { decidedChannel },
    probes: {},
    reports: { decided_channel: async () => decidedChannel.problem() },
    close: () => decidedChannel.close(),
  };
}

function openLog({ name, config, logger }: Opener) {
  const logFunction = logger && toLogFunction(logger);
  const kafka = createKafka(config, name, logFunction);
  const admin = new LogAdmin(kafka);
  const issuers = new IssuerProgress(admin, config.KAFKA_TOPIC_PREFIX);
  const recordTimes = new RecordTimes(kafka, issuers.topic);
  const parts = { kafka, admin, issuers, recordTimes };
  const close = async () => {
    await Promise.all([admin.close(), recordTimes.close()]);
  };
  return { parts, probes: {}, reports: {}, logFunction, close };
}

function openPublisher(opener: Opener, coupons?: CouponLedger) {
  const { PUBLISH_TIMEOUT_MS: publishTimeoutMs, KAFKA_TOPIC_PREFIX: prefix } = opener.config;
  const { parts, logFunction, close } = openLog(opener);
  const metrics = opener.telemetry?.operations;
  const publisher = new EventPublisher(parts.kafka, {
    publishTimeoutMs,
    ...(logFunction && { logger: logFunction }),
    ...(metrics && { metrics }),
  });
  publisher.start();
  const settings = watchChecks(
    kafkaChecks(parts.kafka, opener.config, async () => coupons?.highestPartition()),
    opener.telemetry,
  );
  return {
    parts: {
      ...parts,
      issuanceLog: new IssuanceLog(publisher, topicNames(prefix), metrics, opener.traces),
    },
    probes: { kafka: () => publisher.problem(), kafka_promises: settings.promises },
    reports: { kafka_settings: settings.warnings },
    close: async () => {
      // It may be asking a broker that does not answer.
      void settings.stop();
      await publisher.close();
      await close();
    },
  };
}
