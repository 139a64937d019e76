import { observeChecks } from '#platform/checks/check-metrics.ts';
import { CheckWatch } from '#platform/checks/check-watch.ts';
import type { Check } from '#platform/checks/check.ts';
import type { Config } from '#platform/config/config.ts';
import type { Logger } from '#platform/logging/logging.ts';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';
import type { Traces } from '#platform/telemetry/tracing.ts';
import type { LedgerUse } from '#ledger/checks/ledger-trial.ts';

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

/** Looks again and again, and tells the metrics what was seen. */
export function watchChecks(check: Check, telemetry: Telemetry | undefined): CheckWatch {
  const watch = new CheckWatch(check);
  if (telemetry !== undefined) {
    observeChecks(telemetry, watch);
  }
  return watch;
}
