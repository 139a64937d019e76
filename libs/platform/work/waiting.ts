import { setTimeout as sleep } from 'node:timers/promises';

/** How long to wait before the next attempt, in milliseconds: doubles from `firstMs` up to `maxMs`. */
export interface BackOff {
  firstMs: number;
  maxMs: number;
}

/** The wait after this many failures in a row (1 or more), in milliseconds. */
export function backOffMs({ firstMs, maxMs }: BackOff, failures: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 20));
}

/**
 * Waits, but no longer than until `signal` is aborted. Never rejects. Without a signal it keeps no
 * process alive: it is then a limit that usually loses its race.
 */
export async function pauseFor(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, signal === undefined ? { ref: false } : { signal }).catch(() => {});
}

/** Whoever was asked did not answer in time. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

/** Runs the action; rejects with `NoAnswerError` when it takes longer. It is not stopped itself. */
export async function within<Result>(ms: number, action: () => Promise<Result>): Promise<Result> {
  const expired = pauseFor(ms).then((): never => {
    throw new NoAnswerError(`no answer within ${ms} ms`);
  });
  return Promise.race([action(), expired]);
}
