import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TestLedger } from '../../../test/harness/stores/test-ledger.ts';
import { migrations } from '../connection/data-source.ts';
import { migrate } from './migrate.ts';

const names = migrations.map((migration) => migration.name);
const here = new TestLedger();

beforeAll(() => here.start());
beforeEach(() => migrate(here.config));
afterAll(() => here.close());

async function tables(): Promise<string[]> {
  const rows = await here.query<{ name: string }>(
    'SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()',
  );
  return rows.map((row) => row.name).sort();
}

describe('migrate', () => {
  test('creates the database and applies all migrations, once', async () => {
    const fresh = new TestLedger();
    expect(await migrate(fresh.config)).toEqual(names);
    expect(await migrate(fresh.config)).toEqual([]);
    await fresh.connection.connected();
    await fresh.close();
  });

  test('run by several at once takes turns: each migration is applied once', async () => {
    const fresh = new TestLedger();
    const applied = await Promise.all(Array.from({ length: 4 }, () => migrate(fresh.config)));
    expect(applied.flat()).toEqual(names);
    await fresh.connection.connected();
    expect(await fresh.connection.schemaProblem()).toBeUndefined();
    await fresh.close();
  });

  test('can be taken back, and applied again', async () => {
    for (let i = 0; i < names.length; i += 1) {
      await here.connection.dataSource.undoLastMigration();
    }
    expect(await tables()).toEqual(['migrations']);
    expect(await migrate(here.config)).toEqual(names);
  });

  test('rejects when MySQL is not there', async () => {
    const config = { ...here.config, MYSQL_URL: 'mysql://root@127.0.0.1:1/nowhere' };
    await expect(migrate(config)).rejects.toThrow('ECONNREFUSED');
  });
});

describe('the schema', () => {
  test('has no problem when it is the one this version knows', async () => {
    expect(await here.connection.schemaProblem()).toBeUndefined();
  });

  test('that lacks a migration is a problem that names it', async () => {
    await here.connection.dataSource.undoLastMigration();
    const missing = `migration ${names.at(-1)} is missing: run the migrate command`;
    await expect.poll(() => here.connection.schemaProblem()).toBe(missing);
  });

  test('that was never migrated is a problem that names the first migration', async () => {
    await here.query('RENAME TABLE migrations TO hidden');
    try {
      const first = `migration ${names[0]} is missing`;
      await expect.poll(() => here.connection.schemaProblem()).toContain(first);
    } finally {
      await here.query('RENAME TABLE hidden TO migrations');
    }
  });

  test('that is newer than this version is a problem that names the migration', async () => {
    const tooNew = 'AddColour9999999999999';
    await here.query('INSERT INTO migrations (timestamp, name) VALUES (9999999999999, ?)', [
      tooNew,
    ]);
    try {
      await expect
        .poll(() => here.connection.schemaProblem())
        .toBe(`migration ${tooNew} is newer than this version understands: deploy a newer version`);
    } finally {
      await here.query('DELETE FROM migrations WHERE name = ?', [tooNew]);
    }
  });
});

describe('the entities', () => {
  /** What TypeORM would change to make the schema what the entities say. */
  async function differences(): Promise<string[]> {
    const builder = here.connection.dataSource.driver.createSchemaBuilder();
    const { upQueries } = await builder.log();
    return upQueries.map(({ query }) => query).filter((query) => !isNoise(query));
  }

  /** MariaDB tells the default of a nullable column as the text NULL, which TypeORM takes for one. */
  function isNoise(query: string): boolean {
    return /^ALTER TABLE `\w+` CHANGE `(\w+)` `\1` [\w() ]+ NULL$/.test(query);
  }

  test('say what the migrations make: tables, columns, keys', async () => {
    expect(await differences()).toEqual([]);
  });

  test('say which columns may be missing', async () => {
    const rows = await here.query<{ name: string }>(
      `SELECT CONCAT(TABLE_NAME, '.', COLUMN_NAME) AS name FROM information_schema.COLUMNS
       WHERE TABLE_SCHEMA = DATABASE() AND IS_NULLABLE = 'YES'`,
    );
    const nullable = here.connection.dataSource.entityMetadatas.flatMap((entity) =>
      entity.columns
        .filter((column) => column.isNullable)
        .map((column) => `${entity.tableName}.${column.databaseName}`),
    );
    expect(rows.map((row) => row.name).sort()).toEqual(nullable.sort());
  });

  test.each([
    ['a column too many', 'ADD COLUMN stray INT', 'DROP COLUMN stray'],
    [
      'a column of another type',
      'MODIFY version BIGINT NOT NULL',
      'MODIFY version INT UNSIGNED NOT NULL',
    ],
    ['a key too many', 'ADD KEY stray (name)', 'DROP KEY stray'],
  ])('would be told of %s', async (_name, change, undo) => {
    await here.query(`ALTER TABLE coupon ${change}`);
    try {
      expect(await differences()).not.toEqual([]);
    } finally {
      await here.query(`ALTER TABLE coupon ${undo}`);
    }
  });
});
