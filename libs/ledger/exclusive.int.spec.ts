import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestLedger } from '../../test/harness/stores/test-ledger.ts';
import { runExclusively } from './exclusive.ts';
import { LedgerConnection } from './connection/ledger-connection.ts';

const here = new TestLedger();
/** Another process, as far as MySQL can tell. */
const other = new LedgerConnection(here.config);

beforeAll(async () => {
  await here.start();
  await other.connected();
});
afterAll(async () => {
  await other.close();
  await here.close();
});

const nothing = async (): Promise<void> => {};

test('while work runs nobody else runs work of its name, here or in another process', async () => {
  const seen: boolean[] = [];
  const ran = await runExclusively(here.connection, 'duty', async () => {
    seen.push(await runExclusively(other, 'duty', nothing));
    seen.push(await runExclusively(here.connection, 'duty', nothing));
  });
  expect(ran).toBe(true);
  expect(seen).toEqual([false, false]);
});

test('of many who want to at the same time one runs', async () => {
  const { promise: allHaveAsked, resolve } = Promise.withResolvers<void>();
  let asked = 0;
  const ask = async (connection: LedgerConnection): Promise<boolean> => {
    const ran = runExclusively(connection, 'duty', () => allHaveAsked);
    const settled = ran.then((did) => {
      asked += 1;
      if (asked === 3) {
        resolve();
      }
      return did;
    });
    return settled;
  };
  const connections = [here.connection, other, here.connection, other];
  const ran = await Promise.all(connections.map(ask));
  expect(ran.filter(Boolean)).toHaveLength(1);
});

test('when it is done the next may run', async () => {
  expect(await runExclusively(here.connection, 'duty', nothing)).toBe(true);
  expect(await runExclusively(other, 'duty', nothing)).toBe(true);
});

test('work may use the whole pool, though that is of one connection', async () => {
  const narrow = new LedgerConnection({ ...here.config, MYSQL_POOL_SIZE: 1 });
  await narrow.connected();
  const ran = await runExclusively(narrow, 'duty', async () => {
    await narrow.dataSource.query('SELECT 1');
  });
  expect(ran).toBe(true);
  await narrow.close();
});

test('work hears when its lock is lost', async () => {
  const ran = runExclusively(here.connection, 'duty', async (lost) => {
    await here
      .query(
        `SELECT id FROM information_schema.processlist
       WHERE id = IS_USED_LOCK(CONCAT(LEFT(DATABASE(), 40), '.', 'duty'))`,
      )
      .then((rows) => here.query(`KILL ${(rows as { id: number }[])[0]!.id}`));
    await expect.poll(() => lost.aborted).toBe(true);
    expect((lost.reason as Error).message).toContain("the lock 'duty' is lost");
  });
  await expect(ran).rejects.toThrow();
  expect(await runExclusively(other, 'duty', nothing)).toBe(true);
});

test('when it fails the error is told, and the next may run', async () => {
  const failing = async (): Promise<void> => {
    throw new Error('it broke');
  };
  await expect(runExclusively(here.connection, 'duty', failing)).rejects.toThrow('it broke');
  expect(await runExclusively(other, 'duty', nothing)).toBe(true);
});

test('work that takes longer than its holder may be silent keeps its lock', async () => {
  const ran = await runExclusively(here.connection, 'duty', async () => {
    const until = Date.now() + 18_000;
    while (Date.now() < until) {
      expect(await runExclusively(other, 'duty', nothing)).toBe(false);
      await delay(250);
    }
  });
  expect(ran).toBe(true);
}, 30_000);

test('work of another name, or of another installation on the same server, is not kept out', async () => {
  const neighbour = new TestLedger();
  await neighbour.start();
  const seen: boolean[] = [];
  await runExclusively(here.connection, 'duty', async () => {
    seen.push(await runExclusively(other, 'another duty', nothing));
    seen.push(await runExclusively(neighbour.connection, 'duty', nothing));
  });
  expect(seen).toEqual([true, true]);
  await neighbour.close();
});
