import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '#platform/text/error-message.ts';
import { ReadableError } from '../terminal/readable-error.ts';

const minuteMs = 60_000;
const answerTimeoutMs = 3_000;

/**
 * Asks until `condition` gives something, `intervalMs` apart. After `deadlineMs` throws what
 * `failure` says; a condition that throws ends the waiting at once.
 */
export async function waitUntil<T>(
  condition: () => Promise<T | undefined> | T | undefined,
  options: { deadlineMs: number; intervalMs?: number; failure: () => string },
): Promise<T> {
  const giveUpAt = Date.now() + options.deadlineMs;
  for (;;) {
    const result = await condition();
    if (result !== undefined) {
      return result;
    }
    if (Date.now() > giveUpAt) {
      throw new ReadableError(options.failure());
    }
    await sleep(options.intervalMs ?? 100);
  }
}

/** What `look` finds, as soon as it finds something; not yet when it throws. Fails after a minute. */
export async function eventually<Found>(
  look: () => Promise<Found | undefined | false>,
  deadlineMs = minuteMs,
): Promise<Found> {
  let lastError: unknown;
  const lookOnce = async (): Promise<Found | undefined> => {
    try {
      return (await look()) || undefined;
    } catch (error) {
      lastError = error;
      return undefined;
    }
  };
  const failure = (): string => `not found in ${deadlineMs / 1_000} s`;
  return waitUntil(lookOnce, { deadlineMs, failure }).catch((error: unknown) => {
    throw lastError ?? error;
  });
}

/** Asks `url` until it answers 200 with a good body. Throws `what`, the last answer and `details`. */
export async function waitForOk(
  url: string,
  what: string,
  options: {
    abort: AbortSignal;
    details: () => string;
    deadlineMs?: number;
    isGood?: (body: string) => boolean;
    /** Whether the one who answers is the one who is waited for. */
    isOurs?: (headers: Headers) => boolean;
  },
): Promise<void> {
  const { abort, details, deadlineMs = minuteMs } = options;
  const { isGood = () => true, isOurs = () => true } = options;
  let lastAnswer = 'no answer';
  const ask = async (): Promise<true | undefined> => {
    abort.throwIfAborted();
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(answerTimeoutMs) });
      const body = await response.text();
      if (!isOurs(response.headers)) {
        lastAnswer = 'another program answers there';
        return undefined;
      }
      lastAnswer = `${response.status} ${body.slice(0, 500)}`;
      return response.status === 200 && isGood(body) ? true : undefined;
    } catch (error) {
      lastAnswer = messageOf((error as Error).cause ?? error);
      return undefined;
    }
  };
  await waitUntil(ask, {
    deadlineMs,
    intervalMs: 50,
    failure: () => `${what} after ${deadlineMs / 1_000} s: GET ${url}: ${lastAnswer}\n${details()}`,
  });
}
