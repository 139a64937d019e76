import mysql from 'mysql2/promise';
import { planApps } from '../infra/local/processes/apps.ts';
import { nodeArguments } from '../infra/local/processes/build.ts';
import { rootDir } from '../infra/local/processes/paths.ts';
import type { Instance } from '../infra/local/processes/paths.ts';
import { runOrThrow, waitUntil } from '../infra/local/processes/process.ts';
import { reason, ReadableError } from '../infra/local/terminal/readable-error.ts';
import { SupervisedApp } from '../infra/local/processes/supervised-app.ts';

const apiPortPreferred = '18080';
const drainDeadlineMs = 120_000;
const drainPollMs = 100;

/** An api, an issuer and a keeper of firstcome, as built, with everything on. */
export class AssignStack {
  url = '';
  /** Where each process shows its metrics, by its name. */
  private readonly metricsUrls = new Map<string, string>();
  private readonly instance: Instance;
  private readonly env: Record<string, string>;
  private readonly apps: SupervisedApp[] = [];
  private readonly deaths: string[] = [];

  constructor(instance: Instance, env: Record<string, string>) {
    this.instance = instance;
    this.env = env;
  }

  /** Migrates, starts the processes, and waits until they are ready. */
  async start(abort: AbortSignal): Promise<void> {
    await this.firstcome('migrate');
    const say = (text: string): void => void this.deaths.push(text);
    const counts = { api: 1, issuer: 1, keeper: 1 };
    const plan = await planApps(counts, { API_PORT: apiPortPreferred }, () => undefined);
    for (const app of plan) {
      const env = { ...process.env, ...this.env };
      const onBadConfig = (error: ReadableError): void => say(error.message);
      this.apps.push(new SupervisedApp(app, { instance: this.instance, env, say, onBadConfig }));
    }
    this.url = `http://127.0.0.1:${plan[0]?.publicPort}`;
    plan.forEach(({ name, internalPort }) =>
      this.metricsUrls.set(name, `http://127.0.0.1:${internalPort}/metrics`),
    );
    await Promise.all(this.apps.map((app) => app.start()));
    await Promise.all(this.apps.map((app) => app.ready(abort)));
  }

  /** Throws when a process died: figures of a stack that started again count for nothing. */
  assertRunning(): void {
    if (this.deaths.length > 0) {
      throw new ReadableError(this.deaths.join('\n'));
    }
  }

  /** A coupon that can be assigned. */
  async createCoupon(total: number): Promise<number> {
    const output = await this.firstcome('coupon', 'create', '--total', String(total), '--json');
    return (JSON.parse(output) as { coupon_id: number }).coupon_id;
  }

  /**
   * Waits until every unit that was taken is issued in MySQL, so that the backlog of one run does not
   * disturb the next. Throws when it takes 2 minutes, or when fewer were issued than were promised.
   */
  async drain(couponId: number, total: number, promised: number): Promise<void> {
    const connection = await mysql.createConnection(this.env['MYSQL_URL'] ?? '');
    let before = -1;
    const look = async (): Promise<true | undefined> => {
      const issued = await countIssued(connection, couponId);
      const taken = total - ((await this.unitsLeft(couponId)) ?? Number.NaN);
      // Twice in a row: requests that wait in the api have taken nothing yet.
      const isDrained = issued === taken && issued === before;
      before = issued;
      return isDrained ? true : undefined;
    };
    try {
      await waitUntil(look, {
        deadlineMs: drainDeadlineMs,
        intervalMs: drainPollMs,
        failure: () => `The issuer is still behind after ${drainDeadlineMs / 1_000} s.`,
      });
    } finally {
      await connection.end();
    }
    if (before < promised) {
      throw new ReadableError(`${promised} were answered 200, but only ${before} were issued.`);
    }
  }

  /** How many assigns had which outcome since the start: `accepted 5000, recovering 64`. */
  async outcomes(): Promise<string> {
    const metrics = await fetch(this.metricsUrls.get('api') ?? '').then(
      (answer) => answer.text(),
      reason,
    );
    const counts = metrics.matchAll(/^firstcome_assigns_total\{.*?outcome="(\w+)".*?\} (\d+)/gm);
    return [...counts].map(([, outcome, count]) => `${outcome} ${count}`).join(', ') || 'unknown';
  }

  /** The resident memory of each process, in bytes. */
  async memory(): Promise<Map<string, number>> {
    const read = async ([name, url]: [string, string]): Promise<[string, number]> => {
      const metrics = await (await fetch(url)).text();
      const sample = /^process_resident_memory_bytes(?:\{[^}]*\})? (\S+)/m.exec(metrics);
      return [name, Number(sample?.[1])];
    };
    return new Map(await Promise.all([...this.metricsUrls].map(read)));
  }

  async stop(): Promise<void> {
    await Promise.all(this.apps.map((app) => app.stop()));
  }

  private async unitsLeft(couponId: number): Promise<number | null> {
    const answer = await fetch(`${this.url}/api/v1/coupons/${couponId}`);
    return ((await answer.json()) as { left: number | null }).left;
  }

  private firstcome(...args: string[]): Promise<string> {
    return runOrThrow(
      `firstcome ${args[0]}`,
      process.execPath,
      [...nodeArguments('cli'), ...args],
      {
        cwd: rootDir,
        env: { ...process.env, ...this.env },
      },
    );
  }
}

async function countIssued(connection: mysql.Connection, couponId: number): Promise<number> {
  const [rows] = await connection.query<mysql.RowDataPacket[]>(
    'SELECT issued FROM coupon WHERE id = ?',
    [couponId],
  );
  return Number(rows[0]?.['issued']);
}
