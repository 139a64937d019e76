import { readFileSync } from 'node:fs';
import type { Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build } from 'esbuild';
import { afterEach, describe, expect, it } from 'vitest';
import { generateClient } from '../../infra/contract/client.ts';
import { Firstcome, FirstcomeProblem, FirstcomeTimeout } from './firstcome.ts';

const issuanceId = '01a2027b-d680-7c3a-9d1e-0d5c2b9f4a11';
const body = { user_id: 'me', coupon_id: 123 };
const accepted = { issuance_id: issuanceId, status: 'ACCEPTED' };
const issued = { ...accepted, status: 'ISSUED' };

interface Scripted {
  status?: number;
  headers?: Record<string, string>;
  body?: object;
  /** The connection breaks instead. */
  breaks?: boolean;
  /** No answer comes. */
  isSilent?: boolean;
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Says these things one after the other, the last one for ever; remembers when it was asked what. */
async function startServer(...script: Scripted[]) {
  const asked: { atMs: number; url: string; headers: NodeJS.Dict<string | string[]> }[] = [];
  const answer = (next: Scripted, response: ServerResponse): void => {
    if (next.breaks === true) {
      response.destroy();
    } else if (next.isSilent !== true) {
      const status = next.status ?? 200;
      const type = status < 400 ? 'application/json' : 'application/problem+json';
      response.writeHead(status, { 'content-type': type, ...next.headers });
      response.end(JSON.stringify(next.body ?? {}));
    }
  };
  const http = createServer(({ url, headers }, response) => {
    asked.push({ atMs: performance.now(), url: url!, headers });
    answer(script[Math.min(asked.length, script.length) - 1]!, response);
  });
  servers.push(http);
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve);
  });
  const baseUrl = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  return { asked, firstcome: new Firstcome({ baseUrl }), baseUrl };
}

function gapsMs(asked: { atMs: number }[]): number[] {
  return asked.slice(1).map(({ atMs }, i) => atMs - asked[i]!.atMs);
}

/** Timers may be early by a fraction. */
const earlyMs = 5;

describe('what the api says about asking again is done', () => {
  it.each([
    ['Retry-After-Ms', { 'retry-after-ms': '400', 'retry-after': '30' }, 400],
    ['Retry-After', { 'retry-after': '1' }, 1_000],
  ])('%s', async (_, headers, ms) => {
    const { asked, firstcome } = await startServer({ status: 503, headers }, { body: accepted });
    expect(await firstcome.assign(body)).toEqual(accepted);
    expect(gapsMs(asked)).toHaveLength(1);
    expect(gapsMs(asked)[0]).toBeGreaterThanOrEqual(ms - earlyMs);
  });

  it('X-Should-Retry: false ends it, whatever the status', async () => {
    const problem = { code: 'SOLD_OUT', detail: 'No unit is left.' };
    const headers = { 'x-should-retry': 'false', 'retry-after-ms': '1' };
    const { asked, firstcome } = await startServer({ status: 503, headers, body: problem });
    const error = await firstcome.assign(body).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FirstcomeProblem);
    expect(error).toMatchObject({ code: 'SOLD_OUT', status: 503, message: 'No unit is left.' });
    expect(asked).toHaveLength(1);
  });

  it('X-Should-Retry: true has a 409 sent again', async () => {
    const headers = { 'x-should-retry': 'true', 'retry-after-ms': '1' };
    const { asked, firstcome } = await startServer({ status: 409, headers }, { body: accepted });
    await firstcome.assign(body);
    expect(asked).toHaveLength(2);
  });

  it('poll_after_ms, where a wait is answered before its time', async () => {
    const early = { body: { ...accepted, poll_after_ms: 300 } };
    const { asked, firstcome } = await startServer(early, early, { body: issued });
    expect(await firstcome.waitUntilDecided(issuanceId)).toEqual(issued);
    for (const gap of gapsMs(asked)) {
      expect(gap).toBeGreaterThanOrEqual(300 - earlyMs);
    }
    expect(asked.map(({ url }) => url)).toContain(`/api/v1/issuances/${issuanceId}?wait=30`);
  });
});

describe('where it says nothing', () => {
  it('pauses grow, also when the connection breaks', async () => {
    const { asked, firstcome } = await startServer(
      { breaks: true },
      { status: 502 },
      { breaks: true },
      { body: accepted },
    );
    await firstcome.assign(body);
    const gaps = gapsMs(asked);
    expect(gaps).toHaveLength(3);
    for (const [i, ms] of [250, 500, 1_000].entries()) {
      expect(gaps[i]).toBeGreaterThanOrEqual(ms - earlyMs);
    }
  });

  it('a mistake is told at once', async () => {
    const { asked, firstcome } = await startServer({ status: 400 });
    await expect(firstcome.assign(body)).rejects.toBeInstanceOf(FirstcomeProblem);
    expect(asked).toHaveLength(1);
  });
});

describe('there is an end', () => {
  it('after withinMs, which names the issuance and what failed last', async () => {
    const { asked, firstcome } = await startServer(
      { body: accepted },
      { status: 503, body: { code: 'UNAVAILABLE' } },
    );
    const waiting = firstcome.assign(body).waitUntilDecided({ withinMs: 4_000 });
    const error = await waiting.catch((reason: unknown) => reason);
    expect(asked.length).toBeGreaterThan(1);
    expect(error).toBeInstanceOf(FirstcomeTimeout);
    expect(error).toMatchObject({ issuanceId, cause: { code: 'UNAVAILABLE' } });
  });

  it('also when no answer comes', async () => {
    const { firstcome } = await startServer({ isSilent: true });
    await expect(firstcome.assign(body, { withinMs: 200 })).rejects.toBeInstanceOf(
      FirstcomeTimeout,
    );
  });

  it.each([
    ['a pause', { status: 503, headers: { 'retry-after': '20' } }],
    ['a request', { isSilent: true }],
  ])('at once when its signal says so, in %s', async (_, scripted) => {
    const { asked, firstcome } = await startServer(scripted);
    const stop = new AbortController();
    const waiting = firstcome.assign(body, { signal: stop.signal }).waitUntilDecided();
    await expect.poll(() => asked.length).toBe(1);
    const reason = new Error('the shopper left');
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(asked).toHaveLength(1);
  });
});

it('headers are asked for with each request, for a token that is renewed', async () => {
  const { asked, baseUrl } = await startServer(
    { status: 503, headers: { 'retry-after-ms': '1' } },
    {},
  );
  let tokens = 0;
  const headers = () => ({ authorization: `Bearer ${(tokens += 1)}` });
  await new Firstcome({ baseUrl, headers }).coupon(123);
  expect(asked.map((each) => each.headers['authorization'])).toEqual(['Bearer 1', 'Bearer 2']);
});

describe('the package', () => {
  it('has the types and calls of docs/openapi.json; if not: npm run client:generate', async () => {
    for (const [file, text] of Object.entries(await generateClient())) {
      expect(readFileSync(file, 'utf8'), file).toBe(text);
    }
  });

  it('is at most 8 kB, minified', async () => {
    const { outputFiles } = await build({
      entryPoints: ['libs/client/firstcome.ts'],
      bundle: true,
      minify: true,
      format: 'esm',
      write: false,
    });
    expect(outputFiles[0]!.contents.byteLength).toBeLessThanOrEqual(8_000);
  });
});
