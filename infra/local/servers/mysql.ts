import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { mysqlOptions } from '#ledger/connection/mysql-options.ts';
import { findProgram } from './install.ts';
import type { Program } from './install.ts';
import { rootDir } from '../processes/paths.ts';
import { runOrThrow, runToEnd } from '../processes/process.ts';
import { ReadableError } from '../terminal/readable-error.ts';
import { latencyOf } from './server-kind.ts';
import type { Launch, Place, Pong, ServerKind } from './server-kind.ts';

const mysqld: Program = {
  binaries: ['mysqld', 'mariadbd'],
  apt: ['mariadb-server', 'mysql-server'],
  brew: 'mysql',
};
const answerTimeoutMs = 2_000;
/** Longer paths of a Unix socket are refused by Linux (107) and macOS (103). */
const socketPathMax = 100;

/** MySQL 8.4, or MariaDB where that is what the machine has. */
export const mysql: ServerKind = {
  urlVariable: 'MYSQL_URL',
  defaults: {},
  programs: () => [mysqld],
  prepare: async ({ dataDir }) => {
    if (!existsSync(dataDir)) {
      await createDataDir(dataDir);
    }
  },
  launch: launchMysql,
  url: (port) => `mysql://root@127.0.0.1:${port}/firstcome`,
  ping: pingMysql,
  identity: ({ dataDir }) => realpathSync(dataDir),
};

/** Made aside and renamed: one that was interrupted half-way is never taken for a database. */
async function createDataDir(dataDir: string): Promise<void> {
  const aside = `${dataDir}.new`;
  rmSync(aside, { recursive: true, force: true });
  mkdirSync(dirname(aside), { recursive: true });
  const server = await findServer();
  if (server.isMariaDb) {
    const install = join(dirname(dirname(server.path)), 'bin', 'mariadb-install-db');
    await runOrThrow('mariadb-install-db', existsSync(install) ? install : 'mariadb-install-db', [
      '--no-defaults',
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      `--datadir=${aside}`,
      ...runAs(),
    ]);
  } else {
    const args = ['--no-defaults', '--initialize-insecure', `--datadir=${aside}`, ...runAs()];
    await runOrThrow('mysqld --initialize-insecure', server.path, args);
  }
  renameSync(aside, dataDir);
}

async function launchMysql(place: Place): Promise<Launch> {
  const server = await findServer();
  const settings = [
    // First, or it is not heeded: the machine's own my.cnf is about another server.
    `--defaults-file=${join(rootDir, 'infra', 'mysql', 'firstcome.cnf')}`,
    `--datadir=${place.dataDir}`,
    `--port=${place.port}`,
    '--bind-address=127.0.0.1',
    `--socket=${socketPath(place.runDir)}`,
    `--pid-file=${join(place.runDir, 'mysql.pid')}`,
    ...runAs(),
    '--character-set-server=utf8mb4',
    '--max-connections=200',
    '--innodb-flush-log-at-trx-commit=1',
    '--innodb-buffer-pool-size=256M',
    '--skip-log-bin',
    // MySQL only: a second port that nobody here uses.
    '--loose-mysqlx=OFF',
  ];
  return { command: server.path, args: settings, source: `${server.path} ${server.version}` };
}

async function findServer(): Promise<{ path: string; version: string; isMariaDb: boolean }> {
  const path = await findProgram(mysqld);
  if (path === undefined) {
    throw new ReadableError('mysqld is not on this machine any more.');
  }
  const banner = (await runToEnd(path, ['--no-defaults', '--version'])).output;
  const version = /Ver (\d+\.\d+\.\d+(?:-MariaDB)?)/.exec(banner)?.[1] ?? '';
  return { path, version, isMariaDb: banner.includes('MariaDB') };
}

/** Both refuse to run as root unless told to. */
function runAs(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}

function socketPath(runDir: string): string {
  const path = join(runDir, 'mysql.sock');
  const hash = createHash('sha256').update(path).digest('hex').slice(0, 12);
  return path.length <= socketPathMax ? path : join(tmpdir(), `firstcome-${hash}.sock`);
}

async function pingMysql(url: string): Promise<Pong> {
  const caFile = process.env['MYSQL_CA_FILE'] || undefined;
  const { database: _, ...server } = mysqlOptions({ MYSQL_URL: url, MYSQL_CA_FILE: caFile });
  const connection = await createConnection({ ...server, connectTimeout: answerTimeoutMs });
  try {
    await connection.query('SELECT 1');
    const latencyMs = await latencyOf(() => connection.query('SELECT 1'));
    const [rows] = await connection.query('SELECT @@datadir AS directory');
    const directory = (rows as { directory: string }[])[0]?.directory ?? '';
    const isHere = statSync(directory, { throwIfNoEntry: false }) !== undefined;
    return { latencyMs, identity: isHere ? realpathSync(directory) : directory };
  } finally {
    connection.destroy();
  }
}
