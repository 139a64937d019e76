import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stack } from '../../infra/harness/stack.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';
import { prepareStack } from '../harness/stack/test-stack.ts';
import type { BadInput } from './bad-input.ts';
import { holder } from './bad-input.ts';
import { bodies } from './bodies.ts';
import { requests } from './requests.ts';

/** Sooner than by default, for those that wait for it. */
const timeLimits = { API_REQUEST_TIMEOUT_MS: '2000', API_HEADERS_TIMEOUT_MS: '2000' };
const givenUpMs = 20_000;
const atOnce = 20;

let stack: Stack;
let stores: StackStores;
let couponId: number;
let all: BadInput[];

beforeAll(async () => {
  stack = await prepareStack();
  await stack.startApp('api', timeLimits);
  stores = await StackStores.connect(stack);
  couponId = await stack.createCoupon(1_000);
  await stack.assign(couponId, holder);
  all = [...bodies(couponId), ...requests(couponId)];
});
afterAll(async () => {
  await stores.close();
  await stack.stop();
});

/** The bytes that come until the connection ends, or an answer is there; `undefined` if neither. */
async function answerTo({ pieces }: BadInput): Promise<string | undefined> {
  const { hostname, port } = new URL(stack.app('api').publicUrl);
  const socket = connect(Number(port), hostname);
  const received: Buffer[] = [];
  socket.on('error', () => undefined);
  socket.on('data', (piece) => received.push(piece));
  const text = (): string => Buffer.concat(received).toString('latin1');
  const ended = once(socket, 'close').catch(() => undefined);
  for (const [i, piece] of pieces.entries()) {
    if (i > 0) await delay(2);
    socket.write(piece);
  }
  const isAnswered = (): boolean =>
    /\r\n\r\n/.test(text().replace(/^HTTP\/1\.1 100 [^]*?\r\n\r\n/, ''));
  for (const since = performance.now(); performance.now() < since + givenUpMs;) {
    const isClosed = await Promise.race([ended.then(() => true), delay(10, false)]);
    if (isClosed || isAnswered()) {
      socket.destroy();
      return text();
    }
  }
  socket.destroy();
  return undefined;
}

/** What is wrong with the answer; nothing where it is right. */
async function mistakeIn(input: BadInput): Promise<string | undefined> {
  const received = await answerTo(input);
  if (received === undefined) {
    return `${input.name}: no answer, and the connection stays`;
  }
  const answer = received.replace(/^HTTP\/1\.1 100 [^]*?\r\n\r\n/, '');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 0);
  const [head = ''] = answer.split('\r\n\r\n');
  const isProblem = /content-type: application\/problem\+json/i.test(head);
  // Who still sends when his connection is closed may lose the answer that was on its way.
  const isCut = answer === '' && (input.status ?? 400) >= 400;
  const isRight =
    isCut || (input.status === undefined ? status >= 400 && status < 500 : status === input.status);
  const isShaped = answer === '' || status >= 400 === isProblem;
  return isRight && isShaped ? undefined : `${input.name}: ${answer.slice(0, 120)}`;
}

async function sendAll(): Promise<string[]> {
  const waiting = [...all];
  const mistakes: string[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const mistake = await mistakeIn(next);
      if (mistake !== undefined) mistakes.push(mistake);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return mistakes;
}

async function reserved(): Promise<unknown> {
  const { redis } = stores;
  const keys = `${stack.env['GATE_KEY_PREFIX']}{coupon:${couponId}}`;
  return {
    left: await redis.hget(`${keys}:meta`, 'left'),
    serial: await redis.hget(`${keys}:meta`, 'serial'),
    holders: await redis.hgetall(`${keys}:holders`),
    pending: await redis.zcard(`${keys}:pending`),
  };
}

async function residentBytes(): Promise<number> {
  const text = await stack.app('api').metrics();
  return Number(/^process_resident_memory_bytes\S* (\S+)/m.exec(text)![1]);
}

describe('two hundred and more bad inputs', () => {
  it('get a problem each, or a closed connection; what is right after all gets its answer; nothing is reserved', async () => {
    expect(all.length).toBeGreaterThanOrEqual(200);
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    const before = await reserved();
    expect(before).toMatchObject({
      left: '999',
      pending: 0,
      holders: { [holder]: expect.any(String) },
    });
    expect(await sendAll()).toEqual([]);
    expect(await reserved()).toEqual(before);
  });

  it('leave nothing behind in the memory of the api', async () => {
    await sendAll();
    const before = await residentBytes();
    for (let round = 0; round < 3; round += 1) await sendAll();
    // Three times twenty bodies of 10 MB alone would be six hundred.
    expect((await residentBytes()) - before).toBeLessThan(100 * 2 ** 20);
    expect((await stack.request('/health/ready')).status).toBe(200);
  });

  it('cost nobody else anything: the next assign is answered, and no bug was met', async () => {
    expect((await stack.assign(couponId, 'next')).status).toBe(200);
    expect(stack.app('api').output).not.toMatch(/request failed/);
  });
});
