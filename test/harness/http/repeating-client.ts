import { setTimeout as delay } from 'node:timers/promises';

const firstPauseMs = 500;
const pauseMostMs = 8_000;
/** Longer waits that a server asks for are left to the person. */
const obeyedMostMs = 60_000;

export interface Repeated {
  response: Response;
  /** How many requests it took. */
  requests: number;
}

/**
 * Asks with the manners of the SDKs that are generated for many services: 408, 409, 429 and 5xx are
 * repeated, twice at most, after `retry-after-ms` or `Retry-After`, else after a pause that doubles.
 * `x-should-retry` decides where it is there.
 */
export async function askAsSdksDo(
  url: string,
  init: RequestInit,
  repeatsMost = 2,
): Promise<Repeated> {
  for (let requests = 1; ; requests += 1) {
    const response = await fetch(url, init);
    if (requests > repeatsMost || !shouldRepeat(response)) {
      return { response, requests };
    }
    await response.arrayBuffer();
    await delay(pauseMs(response.headers, requests));
  }
}

function shouldRepeat({ status, headers }: Response): boolean {
  const told = headers.get('x-should-retry');
  if (told === 'true' || told === 'false') {
    return told === 'true';
  }
  return [408, 409, 429].includes(status) || status >= 500;
}

function pauseMs(headers: Headers, requests: number): number {
  const inMs = Number(headers.get('retry-after-ms') ?? Number.NaN);
  const told = Number.isNaN(inMs) ? Number(headers.get('retry-after') ?? Number.NaN) * 1_000 : inMs;
  return told > 0 && told <= obeyedMostMs
    ? told
    : Math.min(pauseMostMs, firstPauseMs * 2 ** (requests - 1));
}
