import type { Look } from './look/look.ts';

/** How fast a count has grown between two looks; null where one of them did not see it. */
export function perSecond(
  before: Look | undefined,
  now: Look,
  earlier: number | null | undefined,
  later: number | null | undefined,
): number | null {
  const seconds = before === undefined ? 0 : (now.atMs - before.atMs) / 1_000;
  return seconds <= 0 || earlier == null || later == null ? null : (later - earlier) / seconds;
}
