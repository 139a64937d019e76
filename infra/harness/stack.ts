import { rmSync } from 'node:fs';
import type { App, AppKind, AppProcess } from '../local/processes/apps.ts';
import { planApp } from '../local/processes/apps.ts';
import type { CommandResult } from '../local/processes/cli.ts';
import { createCoupon, firstcome, firstcomeOrThrow } from '../local/processes/cli.ts';
import { testInstance } from '../local/processes/paths.ts';
import { OwnProcess } from '../local/processes/own-process.ts';
import { SupervisedApp } from '../local/processes/supervised-app.ts';
import { freePort } from '../local/servers/free-port.ts';
import type { ReadableError } from '../local/terminal/readable-error.ts';
import { ask, assign } from './assign.ts';
import type { Answer, Told } from './assign.ts';
import { OwnSpace } from './own-space.ts';

export interface StackOptions {
  /** The settings that lead to the servers. */
  servers: Record<string, string>;
  /** Added to the settings of all processes; may lead to some servers in another way. */
  env?: Record<string, string>;
  /**
   * Begins the names of its processes, whose logs are kept, and of what it has in the stores. Without
   * it they are made up, so that several stacks can run side by side.
   */
  name?: string;
  /** Processes that die are started again, as `npm start` does it. */
  isSupervised?: boolean;
  abort?: AbortSignal;
}

/** Enough for a machine that has ten times as much to do as it can. */
const readyTimeoutMs = 90_000;
/** A test that is not about draining need not wait for it. */
const withoutBalancer = { SHUTDOWN_DRAIN_MS: '500' };

/**
 * Real processes of firstcome on the servers of the tests, with a database, topics and keys of their
 * own, so that several stacks and a live one can run side by side.
 */
export class Stack {
  readonly space: OwnSpace;
  readonly apps: App[] = [];
  /** Of supervised processes: how each died, in words. */
  readonly deaths: string[] = [];
  /** Of supervised processes: why they are not started again. */
  readonly refusals: ReadableError[] = [];
  private readonly supervised: SupervisedApp[] = [];
  private readonly apart: App[] = [];
  private readonly started = { api: 0, issuer: 0, keeper: 0 };

  constructor(private readonly options: StackOptions) {
    this.space = new OwnSpace(options.servers, options.env ?? {}, options.name ?? 't');
  }

  async migrate(): Promise<void> {
    await this.firstcomeOrThrow('migrate');
  }

  /** Migrates, starts these processes and waits until they are ready. To be stopped also when it fails. */
  async start(kinds: readonly AppKind[]): Promise<void> {
    await this.migrate();
    await Promise.all(kinds.map((kind) => this.startApp(kind)));
  }

  get name(): string {
    return this.space.name;
  }

  get env(): Record<string, string> {
    return this.space.env;
  }

  /** Starts one more process; `env` is added to what all have. One apart is none of `apps`. */
  async startApp(
    kind: AppKind,
    env: Record<string, string> = {},
    { waitUntilReady = true, isApart = false } = {},
  ): Promise<App> {
    this.started[kind] += 1;
    const name = `${this.options.name ?? this.name}-${kind}-${this.started[kind]}`;
    const publicPort = kind === 'api' ? await freePort() : undefined;
    const plan = planApp(kind, name, await freePort(), publicPort);
    const all = { ...plan, env: { ...withoutBalancer, ...this.env, ...env, ...plan.env } };
    const app = await this.launch(all, isApart ? this.apart : this.apps);
    if (waitUntilReady) {
      await app.ready(readyTimeoutMs, this.options.abort);
    }
    return app;
  }

  /** The one of this kind that was started last. */
  app(kind: AppKind): App {
    const app = this.apps.findLast(({ plan }) => plan.kind === kind);
    if (app === undefined) {
      throw new Error(`no ${kind} was started`);
    }
    return app;
  }

  running(kind: AppKind): App[] {
    return this.apps.filter((app) => app.plan.kind === kind && app.isRunning);
  }

  /** Runs a command of the command line, and tells how it ended. */
  firstcome(...args: string[]): Promise<CommandResult> {
    return firstcome(this.env, ...args);
  }

  /** The same; throws what it says unless it exits with 0. */
  firstcomeOrThrow(...args: string[]): Promise<string> {
    return firstcomeOrThrow(this.env, ...args);
  }

  /** Creates a coupon with the command line and returns its id. */
  createCoupon(total: number, ...options: string[]): Promise<number> {
    return createCoupon(this.env, total, ...options);
  }

  /** Asks the api that was started last, or `api`. */
  assign(
    couponId: number,
    userId: string,
    { api = this.app('api') }: { api?: App } = {},
  ): Promise<Told> {
    return assign(api, { couponId, userId });
  }

  /** Asks the api that was started last, or `api`. */
  request(path: string, init: RequestInit = {}, api = this.app('api')): Promise<Answer> {
    return ask(api, path, init);
  }

  /** Ends the processes and removes what they left in the stores. */
  async stop(): Promise<void> {
    const apps = [...this.apps, ...this.apart];
    await Promise.all([...this.supervised, ...apps].map((app) => app.stop()));
    if (this.options.name === undefined) {
      apps.forEach(({ logFile }) => rmSync(logFile, { force: true }));
    }
    await this.space.remove();
  }

  private async launch(plan: AppProcess, among: App[]): Promise<App> {
    if (this.options.isSupervised !== true) {
      const app = new OwnProcess(plan, testInstance);
      among.push(app);
      await app.start();
      return app;
    }
    const supervised = new SupervisedApp(plan, {
      instance: testInstance,
      say: (text) => void this.deaths.push(text),
      onGivenUp: (error) => void this.refusals.push(error),
    });
    this.supervised.push(supervised);
    among.push(supervised.process);
    await supervised.start();
    return supervised.process;
  }
}
