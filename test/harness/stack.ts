import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import mysql from 'mysql2/promise';
import { environmentSchema } from '#platform/config.ts';
import type { AppKind } from './app.ts';
import { App } from './app.ts';

export interface Answer {
  status: number;
  headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- each test knows the shape it asked for
  body: any;
}

export interface CommandResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Enough for a machine that has ten times as much to do as it can. */
const readyTimeoutMs = 90_000;

const shipped = environmentSchema.parse({});
/** A disk that stalls for seconds is no failure where nothing is meant to break. */
export const patientTimeouts = {
  GATE_TIMEOUT_MS: '10000',
  PUBLISH_TIMEOUT_MS: '20000',
  ASSIGN_WAIT_MAX_MS: '10000',
};
/** For tests of what happens when Kafka is away: Redis is not, and who waits for a trip has one. */
export const timeoutsBesideKafka = { GATE_TIMEOUT_MS: '10000', ASSIGN_WAIT_MAX_MS: '4000' };
/** For tests of what happens when a store is away: as firstcome comes. */
export const shippedTimeouts = {
  GATE_TIMEOUT_MS: String(shipped.GATE_TIMEOUT_MS),
  PUBLISH_TIMEOUT_MS: String(shipped.PUBLISH_TIMEOUT_MS),
  ASSIGN_WAIT_MAX_MS: String(shipped.ASSIGN_WAIT_MAX_MS),
};

/**
 * Real processes of firstcome on the real servers of the tests, with a database, topics and keys of
 * their own, so that several stacks and a live one can run side by side.
 */
export class Stack {
  readonly name = `t${randomBytes(5).toString('hex')}`;
  readonly env: Record<string, string>;
  readonly apps: App[] = [];

  private constructor(given: Record<string, string>) {
    const mysqlUrl = new URL(given['MYSQL_URL'] ?? serverUrl('MYSQL_URL'));
    mysqlUrl.pathname = `/${this.name}`;
    this.env = {
      GATE_REDIS_URL: serverUrl('GATE_REDIS_URL'),
      JOBS_REDIS_URL: serverUrl('JOBS_REDIS_URL'),
      KAFKA_BROKERS: serverUrl('KAFKA_BROKERS'),
      KAFKA_REPLICATION_FACTOR: '1',
      KAFKA_MIN_INSYNC_REPLICAS: '1',
      KAFKA_PARTITIONS: '2',
      GATE_KEY_PREFIX: `${this.name}:`,
      KAFKA_TOPIC_PREFIX: `${this.name}.`,
      ...patientTimeouts,
      ...given,
      // On whatever server, a database of its own.
      MYSQL_URL: mysqlUrl.toString(),
    };
  }

  /** Migrates, starts the processes and waits until they are ready; `given` as for `prepare`. */
  static async start(
    kinds: AppKind[] = ['api', 'issuer', 'keeper'],
    given: Record<string, string> = {},
  ): Promise<Stack> {
    const stack = await Stack.prepare(given);
    try {
      await Promise.all(kinds.map((kind) => stack.startApp(kind)));
    } catch (error) {
      // Whoever called has no stack to stop.
      await stack.stop();
      throw error;
    }
    return stack;
  }

  /** Migrates and starts nothing; `given` is added to the settings of all its processes. */
  static async prepare(given: Record<string, string> = {}): Promise<Stack> {
    const stack = new Stack(given);
    const { exitCode, stderr } = await stack.firstcome('migrate');
    if (exitCode !== 0) {
      throw new Error(`migrate failed: ${stderr}`);
    }
    return stack;
  }

  /** Starts one more process; `env` is added to what all have. */
  async startApp(
    kind: AppKind,
    env: Record<string, string> = {},
    { waitUntilReady = true } = {},
  ): Promise<App> {
    const app = await App.start(kind, { ...this.env, ...env });
    this.apps.push(app);
    if (waitUntilReady) {
      await app.ready(readyTimeoutMs);
    }
    return app;
  }

  app(kind: AppKind): App {
    const app = this.apps.findLast((candidate) => candidate.kind === kind);
    if (app === undefined) {
      throw new Error(`no ${kind} was started`);
    }
    return app;
  }

  running(kind: AppKind): App[] {
    return this.apps.filter((app) => app.kind === kind && app.isRunning);
  }

  /** Runs a command of the command line, and tells how it ended. */
  async firstcome(...args: string[]): Promise<CommandResult> {
    const command = promisify(execFile)(process.execPath, ['dist/apps/cli/main.js', ...args], {
      env: { ...process.env, ...this.env },
    });
    return command.then(
      ({ stdout, stderr }) => ({ exitCode: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        exitCode: error.code,
        stdout: error.stdout,
        stderr: error.stderr,
      }),
    );
  }

  /** Creates a coupon with the command line and returns its id. */
  async createCoupon(total: number, ...options: string[]): Promise<number> {
    const args = ['coupon', 'create', '--total', String(total), '--json', ...options];
    const { exitCode, stdout, stderr } = await this.firstcome(...args);
    if (exitCode !== 0) {
      throw new Error(stderr);
    }
    return (JSON.parse(stdout) as { coupon_id: number }).coupon_id;
  }

  /** Asks the api that was started last, or `api`. */
  assign(
    couponId: number,
    userId: string,
    { api, signal }: { api?: App; signal?: AbortSignal } = {},
  ): Promise<Answer> {
    const init: RequestInit = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user_id: userId, coupon_id: couponId }),
      ...(signal === undefined ? {} : { signal }),
    };
    return this.request('/api/v1/coupons/assign', init, api);
  }

  /** Asks the api that was started last, or `api`. */
  async request(path: string, init: RequestInit = {}, api = this.app('api')): Promise<Answer> {
    const response = await fetch(`${api.publicUrl}${path}`, init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: JSON.parse(text) };
  }

  /** Ends the processes and removes what they left in the stores. */
  async stop(): Promise<void> {
    await Promise.all(this.apps.map((app) => app.stop()));
    await Promise.all([this.dropDatabase(), this.deleteTopics(), this.deleteKeys()]);
  }

  /** Removes what the stack has in the gate Redis, as FLUSHALL would. */
  async flushGate(): Promise<void> {
    await this.deleteKeysAt(this.env['GATE_REDIS_URL']!);
  }

  private async dropDatabase(): Promise<void> {
    const connection = await mysql.createConnection(serverUrl('MYSQL_URL').replace(/\/\w+$/, '/'));
    await connection.query('DROP DATABASE IF EXISTS ??', [this.name]);
    await connection.end();
  }

  private async deleteTopics(): Promise<void> {
    const brokers = this.env['KAFKA_BROKERS']!.split(',');
    const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(`${this.name}.`));
    if (topics.length > 0) {
      await admin.deleteTopics({ topics });
    }
    await admin.disconnect();
  }

  private async deleteKeys(): Promise<void> {
    const urls = [this.env['GATE_REDIS_URL']!, this.env['JOBS_REDIS_URL']!];
    await Promise.all(urls.map((url) => this.deleteKeysAt(url)));
  }

  private async deleteKeysAt(url: string): Promise<void> {
    const redis = new Redis(url);
    for await (const keys of redis.scanStream({ match: `${this.name}:*`, count: 1_000 })) {
      if ((keys as string[]).length > 0) {
        await redis.unlink(...(keys as string[]));
      }
    }
    redis.disconnect();
  }
}

function serverUrl(name: string): string {
  const url = process.env[name];
  if (url === undefined) {
    throw new Error(`${name} is not set: test/harness/servers.setup.ts sets it`);
  }
  return url;
}
