import { execFileSync } from 'node:child_process';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { mysql as kind } from '../../../infra/local/servers/mysql.ts';
import { aRequest } from '../../../test/harness/fixtures.ts';
import { SpareServer } from '../../../test/harness/servers/spare-server.ts';
import { testConfig } from '../../../test/harness/test-config.ts';
import { mysqlChecks, mysqlPromises } from '../checks/mysql-checks.ts';
import { CouponLedger } from '../coupons/coupon-ledger.ts';
import { isUnavailable } from './driver-error.ts';
import { IssuanceLedger } from '../issuance-ledger.ts';
import { LedgerConnection } from './ledger-connection.ts';
import { migrate } from '../schema/migrate.ts';

const problem = await SpareServer.problem(kind);
const queryTimeoutMs = 5_000;

/** A MySQL whose settings these tests change, and its manager. */
let server: SpareServer;
let root: mysql.Connection;
const opened: LedgerConnection[] = [];

beforeAll(async () => {
  if (problem === undefined) {
    server = await SpareServer.create(kind, ({ runDir }) => tlsOptions(runDir));
    makeCertificate(server.directory);
    // MySQL makes its directory itself.
    rmSync(server.dataDir, { recursive: true });
    await server.start();
    await migrate(configOf(server.url));
    root = await mysql.createConnection(server.url);
  }
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((connection) => connection.close()));
});
afterAll(async () => {
  root?.destroy();
  await server?.remove();
});

function configOf(url: string, given: Parameters<typeof testConfig>[0] = {}) {
  return testConfig({ MYSQL_POOL_SIZE: '2', ...given, MYSQL_URL: url });
}

async function connect(
  url = server.url,
  given: Parameters<typeof testConfig>[0] = {},
): Promise<LedgerConnection> {
  const options = { queryTimeoutMs, ledgerUse: 'write' } as const;
  const connection = new LedgerConnection(configOf(url, given), options);
  opened.push(connection);
  await connection.connected();
  return connection;
}

const names = [`it's`, `a\\'; DROP TABLE coupon; -- `, `"quoted" \\" \\\\`, '쿠폰 🎟 \\', `\\`];

test
  .skipIf(problem)
  .each([
    'NO_BACKSLASH_ESCAPES,ANSI_QUOTES',
    'ANSI,PIPES_AS_CONCAT,IGNORE_SPACE,NO_UNSIGNED_SUBTRACTION,PAD_CHAR_TO_FULL_LENGTH',
    'ORACLE',
    '',
  ])(
  'names and user ids are stored as they are under the sql_mode %j, and what is too long is refused',
  async (mode) => {
    await root.query('SET GLOBAL sql_mode = ?', [mode]);
    await root.query(
      `SET GLOBAL time_zone = '+09:00', GLOBAL autocommit = 0, GLOBAL completion_type = 1,
        GLOBAL sql_select_limit = 1`,
    );
    try {
      const ledger = await connect();
      const coupons = new CouponLedger(ledger);
      const issuances = new IssuanceLedger(ledger);
      for (const name of names) {
        const terms = { name, total: 10, kafkaPartition: 0, opensAt: null, closesAt: null };
        const { id } = await coupons.create(terms);
        expect((await coupons.find(id))?.name).toBe(name);
        const { decisions } = await issuances.decideChunk([
          aRequest({ couponId: id, userId: name }),
        ]);
        expect(decisions).toMatchObject([{ status: 'ISSUED' }]);
        const rows: { user_id: Buffer }[] = await ledger.dataSource.query(
          'SELECT user_id FROM issuance WHERE coupon_id = ?',
          [id],
        );
        expect(rows.map((row) => row.user_id.toString())).toEqual([name]);
      }
      const long = {
        name: 'x'.repeat(101),
        total: 1,
        kafkaPartition: 0,
        opensAt: null,
        closesAt: null,
      };
      await expect(coupons.create(long)).rejects.toThrow('Data too long');
      expect((await coupons.list()).length).toBeGreaterThanOrEqual(names.length);
    } finally {
      await restore('sql_mode', 'time_zone', 'autocommit', 'completion_type', 'sql_select_limit');
    }
  },
);

test.skipIf(problem)(
  'a node that takes no writes is told in words and not read from; connections to it are made anew',
  async () => {
    const ledger = await connect();
    const coupons = new CouponLedger(ledger);
    const idOf = async () =>
      (await ledger.dataSource.query<{ id: string }[]>('SELECT CONNECTION_ID() AS id'))[0]!.id;
    const before = await idOf();
    await root.query('SET GLOBAL read_only = 1');
    try {
      expect(await ledger.connectionProblem()).toMatch(/^MySQL takes no writes \(read_only\)/);
      const error = await coupons.list().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: 'LedgerUnavailableError' });
    } finally {
      await root.query('SET GLOBAL read_only = 0');
    }
    expect(await ledger.connectionProblem()).toBeUndefined();
    expect(await idOf()).not.toBe(before);
  },
);

test.skipIf(problem)(
  'a write that is refused as read-only ends its connection, and is no mistake of ours',
  async () => {
    await root.query(`CREATE USER weak@'127.0.0.1' IDENTIFIED BY 'pw'`);
    await root.query(`GRANT SELECT, INSERT, UPDATE ON firstcome.* TO weak@'127.0.0.1'`);
    const ledger = await connect(server.url.replace('root', 'weak:pw'), { MYSQL_POOL_SIZE: '1' });
    const idOf = async () =>
      (await ledger.dataSource.query<{ id: string }[]>('SELECT CONNECTION_ID() AS id'))[0]!.id;
    const before = await idOf();
    await root.query('SET GLOBAL read_only = 1');
    try {
      const error = await ledger.dataSource
        .query('UPDATE coupon SET version = version')
        .catch((reason: unknown) => reason);
      expect(error).toMatchObject({ driverError: { code: 'ER_OPTION_PREVENTS_STATEMENT' } });
      expect(isUnavailable(error)).toBe(true);
      expect(await idOf()).not.toBe(before);
    } finally {
      await root.query('SET GLOBAL read_only = 0');
      await root.query(`DROP USER weak@'127.0.0.1'`);
    }
  },
);

test.skipIf(problem).each([
  [
    'has no connection left',
    `ALTER USER weak@'127.0.0.1' WITH MAX_USER_CONNECTIONS 1`,
    /User.*weak/,
  ],
  [
    'has no query left',
    `ALTER USER weak@'127.0.0.1' WITH MAX_QUERIES_PER_HOUR 1`,
    /weak.*exceeded/,
  ],
  [
    'may not write any more',
    `REVOKE INSERT ON firstcome.* FROM weak@'127.0.0.1'`,
    /INSERT command denied/,
  ],
  ['may not read any more', `REVOKE SELECT ON firstcome.* FROM weak@'127.0.0.1'`, /denied/],
])(
  'a user who %s: readiness says so, and it is no mistake of ours',
  async (_what, spoil, words) => {
    await root.query(`CREATE USER weak@'127.0.0.1' IDENTIFIED BY 'pw'`);
    await root.query(`GRANT SELECT, INSERT, UPDATE ON firstcome.* TO weak@'127.0.0.1'`);
    const url = server.url.replace('root', 'weak:pw');
    let occupant: mysql.Connection | undefined;
    try {
      const ledger = await connect(url);
      expect(await ledger.connectionProblem()).toBeUndefined();
      await root.query(spoil);
      await root.query('FLUSH PRIVILEGES');
      // MySQL counts those who came since.
      occupant = await mysql.createConnection(url);
      const errors = await Promise.all(
        Array.from({ length: 4 }, () =>
          ledger.dataSource
            .query(
              'INSERT INTO issuance SELECT * FROM issuance WHERE (SELECT SLEEP(0.2)) AND FALSE',
            )
            .then(
              () => undefined,
              (reason: unknown) => reason,
            ),
        ),
      );
      const told = errors.filter((error) => error !== undefined);
      expect(told.length).toBeGreaterThan(0);
      expect(told.map((error) => isUnavailable(error))).toEqual(told.map(() => true));
      expect((told[0] as Error).message).toMatch(words);
    } finally {
      occupant?.destroy();
      await root.query(`DROP USER weak@'127.0.0.1'`);
    }
  },
);

test.skipIf(problem).each([
  ['innodb_flush_log_at_trx_commit', 2, 'mysql.durability.innodb-flush', 'promise_void'],
  ['max_allowed_packet', 512 * 1_024, 'mysql.max-allowed-packet', 'promise_void'],
  ['max_allowed_packet', 4 * 1_024 * 1_024, 'mysql.max-allowed-packet', 'warning'],
])('%s of %d is found: %s is %s', async (setting, value, name, verdict) => {
  await root.query(`SET GLOBAL ${setting} = ${value}`);
  try {
    const found = await mysqlPromises(await connect())();
    expect(found.find((result) => result.name === name)).toMatchObject({ verdict });
  } finally {
    await restore(setting);
  }
});

test.skipIf(problem)('a table of another engine is found, and nothing else', async () => {
  const ledger = await connect();
  await root.query('ALTER TABLE dead_letter ENGINE = MyISAM');
  try {
    const found = await mysqlChecks(ledger)();
    expect(found.filter(({ verdict }) => verdict === 'promise_void')).toMatchObject([
      { name: 'mysql.engine', message: 'not of InnoDB: dead_letter' },
    ]);
  } finally {
    await root.query('ALTER TABLE dead_letter ENGINE = InnoDB');
  }
});

test.skipIf(problem)(
  'TLS that is asked for is TLS, to whom it was asked for, or no connection',
  async () => {
    const cipher = async (url: string, given: Parameters<typeof testConfig>[0] = {}) => {
      const ledger = await connect(url, given);
      const [row] = await ledger.dataSource.query<{ Value: string }[]>(
        `SHOW SESSION STATUS LIKE 'Ssl_cipher'`,
      );
      return row!.Value;
    };
    const ca = { MYSQL_CA_FILE: join(server.directory, 'ca.pem') };
    expect(await cipher(server.url)).toBe('');
    expect(await cipher(`${server.url}?ssl-mode=DISABLED`)).toBe('');
    expect(await cipher(`${server.url}?ssl-mode=REQUIRED`)).not.toBe('');
    expect(await cipher(`${server.url}?ssl-mode=VERIFY_CA`, ca)).not.toBe('');
    const byName = server.url.replace('127.0.0.1', 'localhost');
    expect(await cipher(`${byName}?ssl-mode=VERIFY_IDENTITY`, ca)).not.toBe('');

    const refused = new LedgerConnection(configOf(`${server.url}?ssl-mode=VERIFY_CA`));
    opened.push(refused);
    refused.start();
    await expect.poll(() => refused.connectionProblem()).toMatch(/self.signed|certificate/);
  },
);

async function restore(...settings: string[]): Promise<void> {
  for (const setting of settings) {
    await root.query(`SET GLOBAL ${setting} = DEFAULT`);
  }
}

function tlsOptions(directory: string): string[] {
  return ['ca', 'cert', 'key'].map((part) => `--ssl-${part}=${join(directory, `${part}.pem`)}`);
}

/** One that signs itself and is for `localhost`. */
function makeCertificate(directory: string): void {
  const [key, cert, ca] = ['key', 'cert', 'ca'].map((part) => join(directory, `${part}.pem`));
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost',
      '-keyout',
      key!,
      '-out',
      cert!,
    ],
    { stdio: 'ignore' },
  );
  copyFileSync(cert!, ca!);
}
