import { kafkaChecks } from '#event-log/checks/kafka-checks.ts';
import { IssuerProgress } from '#event-log/inspect/issuer-progress.ts';
import { LogAdmin } from '#event-log/inspect/log-admin.ts';
import { RecordTimes } from '#event-log/inspect/record-times.ts';
import { createKafka } from '#event-log/kafka-client.ts';
import { EventPublisher } from '#event-log/publish/event-publisher.ts';
import { IssuanceLog } from '#event-log/publish/issuance-log.ts';
import { topicNames } from '#event-log/topics.ts';
import { redisPromises } from '#gate/checks/redis-checks.ts';
import { Gate } from '#gate/gate.ts';
import { GateConnection } from '#gate/gate-connection.ts';
import { GateKeyspace } from '#gate/gate-keyspace.ts';
import { StatusHints } from '#gate/status-hints.ts';
import { mysqlPromises } from '#ledger/checks/mysql-checks.ts';
import type { LedgerUse } from '#ledger/checks/ledger-trial.ts';
import { ArchivedCoupons } from '#ledger/coupons/archived-coupons.ts';
import { CouponLedger } from '#ledger/coupons/coupon-ledger.ts';
import { DeadLetterLedger } from '#ledger/dead-letters/dead-letter-ledger.ts';
import { ExpiredRows } from '#ledger/expired-rows.ts';
import { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import { LedgerConnection } from '#ledger/connection/ledger-connection.ts';
import { observePool } from '#ledger/connection/pool-metrics.ts';
import { timed } from '#ledger/timed.ts';
import { observeChecks } from '#platform/checks/check-metrics.ts';
import type { Check } from '#platform/checks/check.ts';
import { SlowQueries } from '#ledger/queries/slow-queries.ts';
import { CheckWatch } from '#platform/checks/check-watch.ts';
import type { Config } from '#platform/config/config.ts';
import type { Logger } from '#platform/logging/logging.ts';
import { toLogFunction } from '#platform/logging/logging.ts';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';
import type { Traces } from '#platform/telemetry/tracing.ts';

/**
 * Who opens stores. Kafka knows him by `name`; without a `logger` its client says nothing. With a logger
 * and telemetry, slow queries are told.
 */
export interface Opener {
  name: string;
  config: Config;
  logger?: Logger;
  /** Whom the stores tell how long they take, and what state they are in. */
  telemetry?: Telemetry;
  traces?: Traces;
}

export interface StoreLimits {
  /** Longest that a query of the ledger may take; without it nothing ends a query. */
  queryTimeoutMs?: number;
  /** What of MySQL its probe tries; `read` unless it is said. */
  ledgerUse?: LedgerUse;
}

/** A `publisher` is the log, to write to as well. */
export type StoreName = 'gate' | 'ledger' | 'log' | 'publisher';

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
  const parts = { ...log?.parts, ...publisher?.parts, ...gate?.parts, ...ledger?.parts };
  const probes = { ...gate?.probes, ...publisher?.probes, ...ledger?.probes };
  const reports = { ...publisher?.reports };
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
}

type Of<Names, What extends 'parts' | 'probes' | 'reports'> = If<Names, 'gate', What> &
  If<Names, 'ledger', What> &
  If<Names, 'log', What> &
  If<Names, 'publisher', What>;

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

function openLedger({ config, logger, telemetry }: Opener, limits: StoreLimits) {
  const slow =
    logger && telemetry && new SlowQueries(config.MYSQL_SLOW_QUERY_MS, logger, telemetry);
  const ledger = new LedgerConnection(config, { ...limits, onQuery: (query) => slow?.note(query) });
  ledger.start();
  if (telemetry !== undefined) {
    observePool(telemetry, ledger);
  }
  const settings = watchChecks(mysqlPromises(ledger), telemetry);
  const ask = <Ledger extends object>(name: string, one: Ledger): Ledger =>
    timed(name, one, telemetry?.operations);
  return {
    parts: {
      ledger,
      coupons: ask('coupons', new CouponLedger(ledger)),
      archived: ask('archived', new ArchivedCoupons(ledger)),
      expired: ask('expired', new ExpiredRows(ledger)),
      issuances: ask('issuances', new IssuanceLedger(ledger)),
      deadLetters: ask('dead_letters', new DeadLetterLedger(ledger)),
    },
    probes: {
      schema: () => ledger.schemaProblem(),
      mysql: () => ledger.connectionProblem(),
      mysql_promises: settings.promises,
    },
    reports: { mysql_settings: settings.warnings },
    connected: (timeoutMs: number) => connected(ledger, timeoutMs),
    close: async () => {
      void settings.stop();
      await ledger.close();
      slow?.close();
    },
  };
}

/** Rejects, too, when the schema is not the one that this version understands. */
async function connected(ledger: LedgerConnection, timeoutMs: number): Promise<void> {
  const timeout = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error('MySQL (MYSQL_URL) is not reachable')), timeoutMs).unref();
  });
  await Promise.race([ledger.connected(), timeout]);
  const problem = await ledger.schemaProblem();
  if (problem !== undefined) {
    throw new Error(problem);
  }
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

function watchChecks(check: Check, telemetry: Telemetry | undefined): CheckWatch {
  const watch = new CheckWatch(check);
  if (telemetry !== undefined) {
    observeChecks(telemetry, watch);
  }
  return watch;
}
