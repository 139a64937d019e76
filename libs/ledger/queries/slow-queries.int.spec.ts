import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Telemetry } from '#platform/telemetry/telemetry.ts';
import { OwnServer } from '../../../test/harness/servers/own-server.ts';
import { TestLedger } from '../../../test/harness/stores/test-ledger.ts';
import { LedgerConnection } from '../connection/ledger-connection.ts';
import { fingerprintOf } from './fingerprint.ts';
import { SlowQueries } from './slow-queries.ts';

const limitMs = 100;
const sql = 'SELECT SLEEP(?) FROM issuance RIGHT JOIN (SELECT ? AS user_id) u ON TRUE';
const quick = 'SELECT SLEEP(0)';
const { name: fingerprint } = fingerprintOf(sql);
const userId = 'a-user-who-is-not-told';

const here = new TestLedger();
const lines: string[] = [];
const telemetry = new Telemetry('test');
const shown = createServer((request, response) => telemetry.writeMetrics(request, response));
let connection: LedgerConnection;

beforeAll(async () => {
  await here.start();
  const write = (line: Buffer, _: unknown, done: () => void): void => {
    lines.push(line.toString());
    done();
  };
  await new Promise<void>((resolve) => {
    shown.listen(0, '127.0.0.1', resolve);
  });
  const slow = new SlowQueries(limitMs, pino(new Writable({ write })), telemetry);
  connection = new LedgerConnection(
    { ...here.config, STATEMENTS_DIR: undefined },
    { onQuery: (query) => slow.note(query) },
  );
  await connection.connected();
});
afterAll(async () => {
  await connection.close();
  await here.close();
  shown.close();
  await telemetry.close();
});

/** By fingerprint, as `/metrics` shows them. */
async function counted(): Promise<Record<string, number>> {
  const { port } = shown.address() as AddressInfo;
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const series = text.matchAll(
    /^firstcome_slow_queries_total\{fingerprint="([^"]+)"[^}]*\} (\d+)/gm,
  );
  return Object.fromEntries([...series].map(([, name, count]) => [name!, Number(count)]));
}

describe('a query that takes longer than the limit', () => {
  it('is counted by its fingerprint and told once in a while, without what it asked about', async () => {
    await connection.dataSource.query(quick);
    for (let i = 0; i < 3; i += 1) {
      await connection.dataSource.query(sql, [0.15, userId]);
    }
    expect(await counted()).toEqual({ [fingerprint]: 3 });
    expect(lines.length).toBeLessThanOrEqual(2);
    expect(lines[0]).not.toContain(userId);
    const line = JSON.parse(lines[0]!) as Record<string, unknown>;
    expect(line).toMatchObject({ fingerprint, statement: sql, failed: false, more: 0 });
    expect(line['duration_ns']).toBeGreaterThan(100e6);
  });

  it('is told, too, when it fails, and never with what MySQL says, which quotes values', async () => {
    lines.length = 0;
    const failing = `SELECT SLEEP(0.15), CAST(? AS JSON) + EXTRACTVALUE('', CONCAT('~', ?))`;
    await expect(connection.dataSource.query(failing, ['{', userId])).rejects.toThrow();
    lines.forEach((line) => expect(line).not.toContain(userId));
  });

  it('makes no more than a hundred series, whatever is asked', async () => {
    lines.length = 0;
    const slow = new SlowQueries(limitMs, pino({ level: 'silent' }), telemetry);
    for (let i = 0; i < 300; i += 1) {
      slow.note({
        sql: `SELECT column_${i} FROM issuance`,
        values: [],
        durationMs: 200,
        error: null,
      });
    }
    const counts = await counted();
    expect(Object.keys(counts).length).toBeLessThanOrEqual(102);
    expect(counts['other']).toBe(200);
  });
});

it('the servers that the project starts keep a slow log of their own', async (context) => {
  new OwnServer('mysql').require(context);
  const [row]: { directory: string; file: string; log: number; seconds: string }[] =
    await here.query(
      `SELECT @@datadir AS directory, @@slow_query_log_file AS file, @@slow_query_log AS log,
              @@long_query_time AS seconds`,
    );
  expect([row!.log, Number(row!.seconds)]).toEqual([1, 0.5]);
  await here.query("SELECT SLEEP(0.7), 'to be found in the slow log'");
  await expect
    .poll(() => readFileSync(join(row!.directory, row!.file), 'utf8'))
    .toContain('to be found in the slow log');
});
