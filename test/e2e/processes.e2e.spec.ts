import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stack } from '../../infra/harness/stack.ts';
import { RawClient, exchange, rawRequest } from '../harness/http/raw-client.ts';
import type { LogLine } from '../harness/log-lines.ts';
import { logLines } from '../harness/log-lines.ts';
import { startStack } from '../harness/stack/test-stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());

async function query(sql: string): Promise<void> {
  const connection = await mysql.createConnection(stack.env['MYSQL_URL']!);
  await connection.query(sql);
  await connection.end();
}

describe('a process', () => {
  it.each(['api', 'issuer', 'keeper'] as const)(
    '%s: refuses a bad configuration with one readable list and exit code 78',
    async (kind) => {
      const app = await stack.startApp(
        kind,
        { GATE_REDIS_URL: 'http://user:s3cret@gate', KAFKA_PARTITIONS: 'many' },
        { waitUntilReady: false, isApart: true },
      );
      expect(await app.exit()).toEqual({ code: 78, signal: null });
      expect(app.output).toContain('GATE_REDIS_URL: must be a redis');
      expect(app.output).toContain('KAFKA_PARTITIONS');
      expect(app.output).not.toContain('s3cret');
    },
  );

  it('is not ready, and says which migration it misses or does not know', async () => {
    const rename = (from: string, to: string) =>
      query(`UPDATE migrations SET name = '${to}' WHERE name = '${from}'`);
    await rename('Initial1764000000000', 'FromTheFuture9999999999999');
    for (const kind of ['api', 'issuer', 'keeper'] as const) {
      await expect
        .poll(async () => (await stack.app(kind).readiness())?.text)
        .toContain('migration Initial1764000000000 is missing');
    }
    await query("INSERT INTO migrations (timestamp, name) VALUES (1, 'Initial1764000000000')");
    await expect
      .poll(async () => (await stack.app('api').readiness())?.text)
      .toContain('migration FromTheFuture9999999999999 is newer');
    expect(stack.app('api').isRunning).toBe(true);

    await query("DELETE FROM migrations WHERE name = 'FromTheFuture9999999999999'");
    await expect.poll(async () => (await stack.app('api').readiness())?.status).toBe(200);
  });

  it('that is not ready says so in one line each time it begins, and in no error', async () => {
    const api = stack.app('api');
    const told = () => logLines(api.output).filter(({ firstcome }) => firstcome?.['probe']);
    await expect.poll(() => told().at(-1)?.['log.level']).not.toBe('warn');
    const before = told().length;
    await query("DELETE FROM migrations WHERE name = 'Initial1764000000000'");
    await expect.poll(async () => (await fetch(`${api.publicUrl}/health/ready`)).status).toBe(503);
    for (let i = 0; i < 20; i += 1) {
      await fetch(`${api.publicUrl}/health/ready`);
      await api.readiness();
    }
    const lines = () => told().slice(before);
    await expect.poll(() => lines().map(({ message }) => message)).toHaveLength(1);
    await query("INSERT INTO migrations (timestamp, name) VALUES (1, 'Initial1764000000000')");
    await expect.poll(() => lines().length).toBe(2);
    expect(lines()).toMatchObject([
      { 'log.level': 'warn', firstcome: { probe: 'schema' } },
      { 'log.level': 'info', firstcome: { probe: 'schema' } },
    ]);
    const ofRequests = ({ message, error }: LogLine) =>
      message === 'request failed' || error?.message.includes('Service Unavailable');
    expect(logLines(api.output).filter(ofRequests)).toEqual([]);
  });

  it.each(['api', 'issuer', 'keeper'] as const)(
    '%s: calls the fields of every line as the schema does, and writes none for a success',
    async (kind) => {
      const couponId = await stack.createCoupon(10);
      const { output } = stack.app(kind);
      const answer = await stack.assign(couponId, 'somebody-who-is-served');
      await expect
        .poll(async () => (await stack.request(answer.body.status_url)).body.status)
        .toBe('ISSUED');
      expect(stack.app(kind).output.slice(output.length)).not.toContain('somebody');
      expect(logLines(stack.app(kind).output).length).toBeGreaterThan(0);
    },
  );

  it('is alive whatever its stores do', async () => {
    const answer = await fetch(`${stack.app('api').publicUrl}/health/live`);
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok' }]);
  });

  it('writes its log as JSON lines in ECS', () => {
    const lines = stack.app('keeper').output.trim().split('\n');
    const entries = lines
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(entries.length).toBeGreaterThan(0);
    for (const entry of entries) {
      expect(entry).toMatchObject({
        '@timestamp': expect.any(String),
        'log.level': expect.any(String),
        'service.name': 'firstcome-keeper',
      });
    }
  });
});

describe('SIGTERM', () => {
  it('leaves an api serving for as long as it drains, not ready, each client told to connect anew', async () => {
    const drainMs = 3_000;
    const env = { SHUTDOWN_DRAIN_MS: String(drainMs), ASSIGN_IN_FLIGHT_MAX: '1' };
    const api = await stack.startApp('api', env, { isApart: true });
    const couponId = await stack.createCoupon(500);
    const used = await RawClient.connect(api.publicUrl);
    const asks = [
      rawRequest('GET /health/live'),
      rawRequest('GET /none'),
      rawRequest('GET /health/ready'),
    ];
    used.send(asks[0]!);
    expect((await used.answer()).headers.get('connection')).toBe('keep-alive');

    const startedAt = performance.now();
    api.signal('SIGTERM');
    await expect.poll(async () => (await exchange(api.publicUrl, asks[2]!)).status).toBe(503);
    const ready = await exchange(api.publicUrl, asks[2]!);
    expect(ready.body).toMatchObject({ code: 'NOT_READY', probes: ['process'] });
    used.send(asks[0]!);
    const others = await Promise.all(asks.map((bytes) => exchange(api.publicUrl, bytes)));
    for (const answer of [ready, await used.answer(), ...others]) {
      expect(answer.headers.get('connection')).toBe('close');
    }
    await used.closed();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => stack.assign(couponId, `late-${i}`, { api })),
    );
    // Among them some that were sent away, past the framework.
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 503]));
    expect(new Set(answers.map(({ headers }) => headers.get('connection')))).toEqual(
      new Set(['close']),
    );
    expect(await api.exit()).toEqual({ code: 0, signal: null });
    expect(performance.now() - startedAt).toBeGreaterThan(drainMs);
  });

  it('ends every process with exit code 0 in under 10 s, and every answer given was true', async () => {
    const couponId = await stack.createCoupon(500);
    const answers = Array.from({ length: 300 }, (_, i) =>
      stack.assign(couponId, `user-${i}`).catch(() => undefined),
    );
    const startedAt = Date.now();
    const exits = await Promise.all(
      (['api', 'issuer', 'keeper'] as const).map(async (kind) => {
        stack.app(kind).signal('SIGTERM');
        return stack.app(kind).exit();
      }),
    );
    expect(exits).toEqual([0, 0, 0].map((code) => ({ code, signal: null })));
    expect(Date.now() - startedAt).toBeLessThan(10_000);

    const accepted = (await Promise.all(answers)).filter((answer) => answer?.status === 200);
    // The whole system stopped and started: it comes into service by itself.
    await Promise.all((['api', 'issuer', 'keeper'] as const).map((kind) => stack.startApp(kind)));
    for (const answer of accepted) {
      await expect
        .poll(async () => (await stack.request(answer!.body.status_url)).body.status, {
          timeout: 20_000,
        })
        .toBe('ISSUED');
    }
    expect((await stack.assign(couponId, 'afterwards')).status).toBe(200);
    expect((await stack.firstcome('verify')).exitCode).toBe(0);
  });
});
