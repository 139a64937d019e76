import type { ProcessContext } from '#platform/process/run-process.ts';
import type { Stores } from '#stores/stores.ts';
import { Announcer } from './announcer.ts';
import { DecidedLookups } from './decided-lookups.ts';
import { Pace } from './pace.ts';
import { WaitLimits } from './wait-limits.ts';
import { Waiters } from './waiters.ts';
import { WaitingMetrics } from './waiting-metrics.ts';

/** Places that waits may take: the others are for those who ask for a coupon. */
const shareOfPlaces = 2 / 3;

export interface Waiting {
  /** What the routes need. */
  parts: [Waiters, Pace, DecidedLookups, WaitLimits];
  lookups: DecidedLookups;
  /** Ends all waits, undecided; nobody waits from here on. */
  endWaits(): void;
  /** For when nobody asks any more. */
  close(): Promise<void>;
}

/** Puts together what tells those who wait for a decision at this process. */
export function openWaiting(
  { config, logger, telemetry, failures }: ProcessContext,
  stores: Stores<'gate' | 'ledger' | 'channel'>,
): Waiting {
  const places = Math.floor(config.API_CONNECTIONS_MAX * shareOfPlaces);
  const waiters = new Waiters(Math.min(config.WAITERS_MAX, places));
  const lookups = new DecidedLookups(
    stores.hints,
    stores.issuances,
    failures,
    config.MYSQL_QUERY_TIMEOUT_MS,
  );
  const pace = new Pace();
  const announcer = new Announcer(
    stores.decidedChannel,
    waiters,
    lookups,
    pace,
    new WaitingMetrics(telemetry, waiters),
    logger,
  );
  announcer.start();
  return {
    parts: [waiters, pace, lookups, new WaitLimits(config)],
    lookups,
    endWaits: () => waiters.close(),
    close: () => announcer.stop(),
  };
}
