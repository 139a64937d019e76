import type { Look } from './look/look.ts';
import { perSecond } from './rates.ts';

/** How far the issuers are behind in one partition of the log. */
export interface PartitionStatus {
  partition: number;
  lag: number | null;
  /** How long its first undecided record has waited; 0 where there is none. */
  lagSeconds: number | null;
  loggedPerS: number | null;
  decidedPerS: number | null;
  /** Until all is decided at this pace; null when it does not shrink, 0 when nothing waits. */
  drainS: number | null;
  /** The issuer that has it; null when nobody has. */
  member: string | null;
}

/** The one that is furthest behind comes first. */
export function partitionStatuses(before: Look | undefined, now: Look): PartitionStatus[] {
  const { value: log } = now.log;
  const earlier = new Map(before?.log.value?.lags.map((lag) => [lag.partition, lag]));
  return (log?.lags ?? [])
    .map(({ partition, lag, high, committed }) => {
      const was = earlier.get(partition);
      const loggedPerS = perSecond(before, now, was?.high, high);
      const decidedPerS = perSecond(before, now, was?.committed, committed);
      return {
        partition,
        lag,
        lagSeconds: log?.delays.get(partition) ?? null,
        loggedPerS,
        decidedPerS,
        drainS: drainOf(lag, loggedPerS, decidedPerS),
        member: log?.members.get(partition) ?? null,
      };
    })
    .toSorted((a, b) => (b.lag ?? Infinity) - (a.lag ?? Infinity) || a.partition - b.partition);
}

function drainOf(
  lag: number | null,
  loggedPerS: number | null,
  decidedPerS: number | null,
): number | null {
  if (lag === 0) {
    return 0;
  }
  const shrinksBy = loggedPerS === null || decidedPerS === null ? 0 : decidedPerS - loggedPerS;
  return lag === null || shrinksBy <= 0 ? null : lag / shrinksBy;
}
