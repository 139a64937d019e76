import { rmdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';
import type { Connection } from 'mysql2/promise';
import { Redis } from 'ioredis';
import { Stack } from '../../infra/harness/stack.ts';
import { Monitoring } from '../../infra/local/observe/monitoring.ts';
import type { App } from '../../infra/local/processes/apps.ts';
import { ensurePrograms } from '../../infra/local/servers/install.ts';
import { mysql } from '../../infra/local/servers/mysql.ts';
import { redis } from '../../infra/local/servers/redis.ts';
import { kafka } from '../../infra/local/servers/kafka.ts';
import type { Report } from '../../infra/local/terminal/progress.ts';
import { SpareBroker } from '../harness/servers/spare-broker.ts';
import { SpareServer } from '../harness/servers/spare-server.ts';
import { MachineFigures } from './machine-figures.ts';
import { Receiver } from './receiver.ts';

const kinds = ['api', 'issuer', 'keeper'] as const;
const clients = 6;
const restMs = 60;
const redisKind = redis('GATE_REDIS_URL', 'GATE_REDIS_CA_FILE');

/** A stack on servers of its own, with people who ask for coupons, and with all that watches it. */
export class AlertStack {
  /** Of so many that it is never sold out. */
  couponId = 0;
  /** What the people ask for. */
  askedFor = 0;
  /** Whom the people ask; nobody while it is undefined. */
  asked: App | undefined;
  monitoring: Monitoring | undefined;
  private readonly more: App[] = [];
  private users = 0;
  private people: Promise<void>[] = [];
  private isOver = false;

  private constructor(
    readonly stack: Stack,
    readonly gate: SpareServer,
    readonly jobs: SpareServer,
    readonly broker: SpareBroker,
    readonly ledger: SpareServer,
    readonly machine: MachineFigures,
    readonly receiver: Receiver,
  ) {}

  static async start(report: Report, abort: AbortSignal): Promise<AlertStack> {
    const programs = [redisKind, kafka, mysql].flatMap((kind) => kind.programs());
    await ensurePrograms([...new Set(programs)], report);
    const gate = await SpareServer.create(redisKind);
    const jobs = await SpareServer.create(redisKind);
    const ledger = await SpareServer.create(mysql);
    const broker = await SpareBroker.create();
    // MySQL fills a directory that is not there yet.
    rmdirSync(ledger.dataDir);
    const servers = {
      GATE_REDIS_URL: gate.url,
      JOBS_REDIS_URL: jobs.url,
      KAFKA_BROKERS: broker.direct,
      MYSQL_URL: ledger.url,
    };
    const env = {
      KAFKA_REPLICATION_FACTOR: '1',
      KAFKA_MIN_INSYNC_REPLICAS: '1',
      KAFKA_PARTITIONS: '2',
      MYSQL_POOL_SIZE: '20',
    };
    const stack = new Stack({ servers, env, abort });
    const receiver = await Receiver.start();
    const made = new AlertStack(stack, gate, jobs, broker, ledger, new MachineFigures(), receiver);
    try {
      await report.step('Redis, Kafka, MySQL', () =>
        Promise.all([gate, jobs, ledger, broker.server].map((server) => server.start())),
      );
      await report.step('api, issuer, keeper', () => stack.start(kinds));
      made.couponId = await stack.createCoupon(200_000);
      made.askedFor = made.couponId;
    } catch (error) {
      await made.stop();
      throw error;
    }
    made.asked = stack.app('api');
    made.people = Array.from({ length: clients }, () => made.askOn());
    return made;
  }

  /** Starts what watches it. */
  async observe(report: Report, abort: AbortSignal): Promise<void> {
    this.monitoring = await Monitoring.start(
      {
        household: 'test-observe',
        stores: { env: this.stack.env, mysqlCommandLine: `--datadir=${this.ledger.dataDir}` },
        receivers: { webhookUrl: this.receiver.url },
        apps: () =>
          [...this.stack.apps, ...this.more].map(({ plan }) => ({
            job: plan.kind,
            name: plan.name,
            port: plan.internalPort,
          })),
        machine: this.machine,
      },
      report,
      abort,
    );
  }

  /** One more api, for a fault of its own; nobody asks it unless told to. */
  async startOneMore(env: Record<string, string>): Promise<App> {
    const app = await this.stack.startApp('api', env, { isApart: true });
    this.more.push(app);
    return app;
  }

  async endOneMore(app: App): Promise<void> {
    this.more.splice(this.more.indexOf(app), 1);
    await app.kill();
  }

  /** Somebody else at work in its database. */
  stranger(): Promise<Connection> {
    return createConnection({ uri: this.stack.env['MYSQL_URL']! });
  }

  async onGate<Result>(work: (redis: Redis) => Promise<Result>): Promise<Result> {
    const client = new Redis(this.gate.url);
    try {
      return await work(client);
    } finally {
      client.disconnect();
    }
  }

  /** How often somebody has asked for anything. */
  get timesAsked(): number {
    return this.users;
  }

  /** Asks once, for a new user; whatever comes of it. */
  async askOnce(app: App, couponId = this.askedFor): Promise<void> {
    this.users += 1;
    await this.stack.assign(couponId, `user-${this.users}`, { api: app }).catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.people);
    await this.monitoring?.stop();
    await this.stack.stop().catch(() => undefined);
    await Promise.all([this.gate.remove(), this.jobs.remove(), this.ledger.remove()]);
    await this.broker.remove();
    await this.receiver.stop();
    this.machine.remove();
  }

  private async askOn(): Promise<void> {
    while (!this.isOver) {
      if (this.asked !== undefined) {
        await this.askOnce(this.asked);
      }
      await sleep(restMs);
    }
  }
}
