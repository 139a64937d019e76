import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../text/error-message.ts';
import type { Check, CheckResult } from './check.ts';

/** What a check finds; where it fails or takes longer, that its store is away. Never rejects. */
export async function runCheck(
  store: string,
  check: Check,
  limitMs: number,
): Promise<CheckResult[]> {
  const timer = new AbortController();
  const expired = delay(limitMs, undefined, { signal: timer.signal }).then((): never => {
    throw new Error(`no answer within ${limitMs / 1_000} s`);
  });
  // It ends with an abort when the check was quicker.
  expired.catch(() => {});
  try {
    return await Promise.race([check(), expired]);
  } catch (error) {
    return [{ name: `${store}.reachable`, verdict: 'away', message: messageOf(error) }];
  } finally {
    timer.abort();
  }
}
