import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { anIssuanceId } from '../../test/harness/fixtures.ts';
import { testConfig } from '../../test/harness/test-config.ts';
import { TestGate } from '../../test/harness/stores/test-gate.ts';
import { GateConnection } from './gate-connection.ts';
import { statusHintsKey } from './keys.ts';
import type { StatusHint } from './status-hints.ts';
import { StatusHints } from './status-hints.ts';

const here = new TestGate();
const hints = new StatusHints(here.connection, here.prefix, 600);

beforeAll(() => here.start());
afterAll(() => here.close());

const issued: StatusHint = { couponId: 1, userId: 'Zoë 🎟', status: 'ISSUED', decidedAt: 5 };
const refused: StatusHint = { ...issued, status: 'REFUSED', reason: 'SOLD_OUT' };

test('tells what was decided about each issuance', async () => {
  const [one, other] = [anIssuanceId(), anIssuanceId()];
  await hints.write(
    new Map([
      [one, issued],
      [other, refused],
    ]),
  );
  expect(await hints.read(one)).toEqual(issued);
  expect(await hints.read(other)).toEqual(refused);
});

test('knows nothing of an issuance that nobody wrote a hint for', async () => {
  expect(await hints.read(anIssuanceId())).toBeUndefined();
});

test('takes no hints for none', async () => {
  await expect(hints.write(new Map())).resolves.toBeUndefined();
});

test('keeps hints apart from those of another prefix', async () => {
  const id = anIssuanceId();
  await hints.write(new Map([[id, issued]]));
  const others = new StatusHints(here.connection, `${here.prefix}other:`, 600);
  expect(await others.read(id)).toBeUndefined();
});

test('forgets a hint after its time, which a later one renews', async () => {
  const id = anIssuanceId();
  await new StatusHints(here.connection, here.prefix, 1).write(new Map([[id, issued]]));
  await hints.write(new Map([[id, issued]]));
  expect(await here.raw.ttl(statusHintsKey(here.prefix, id))).toBeGreaterThan(500);

  await new StatusHints(here.connection, here.prefix, 1).write(new Map([[id, issued]]));
  await vi.waitFor(async () => expect(await hints.read(id)).toBeUndefined(), { timeout: 5_000 });
});

/** A way to Redis on which only so many bytes of what is said get through, once `lets` is set. */
async function breakingWay(): Promise<{ url: string; lets: number; close(): void }> {
  const url = new URL(testConfig().GATE_REDIS_URL);
  const { port, hostname } = url;
  const way = { url: '', lets: Infinity, close: () => void server.close() };
  const server = createServer((client) => {
    const redis = connect(Number(port), hostname);
    const giveUp = (): void => [client, redis].forEach((socket) => socket.destroySoon());
    client.on('data', (data) => {
      redis.write(data.subarray(0, way.lets));
      way.lets -= data.length;
      if (way.lets <= 0) {
        way.lets = Infinity;
        giveUp();
      }
    });
    redis.on('data', (reply) => client.write(reply));
    [client, redis].forEach((socket) => socket.on('error', giveUp).on('close', giveUp));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  way.url = url.toString();
  return way;
}

test('never leaves a hint without its time, wherever the connection to Redis breaks', async () => {
  const way = await breakingWay();
  const connection = new GateConnection(testConfig({ GATE_REDIS_URL: way.url }));
  const left: number[] = [];
  for (let bytes = 25; bytes <= 400; bytes += 25) {
    await connection.connected();
    const id = anIssuanceId(1_700_000_000_000 + bytes * 1_000);
    way.lets = bytes;
    const writing = new StatusHints(connection, here.prefix, 600).write(new Map([[id, issued]]));
    await writing.catch(() => {});
    left.push(await here.raw.ttl(statusHintsKey(here.prefix, id)));
  }
  connection.close();
  way.close();
  // -2: there is none.
  expect(left).toContain(-2);
  expect(left.filter((seconds) => seconds !== -2 && seconds <= 0)).toEqual([]);
  expect(left.at(-1)).toBeGreaterThan(0);
});

test('keeps the watermark to the millisecond, and knows none before it is worked out', async () => {
  expect(await hints.readWatermark()).toBeUndefined();
  await hints.writeWatermark(1_764_000_000_123);
  expect(await hints.readWatermark()).toBe(1_764_000_000_123);
});
