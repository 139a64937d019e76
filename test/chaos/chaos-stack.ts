import { choosePort } from '../../infra/local/servers/ports.ts';
import { nodeArguments } from '../../infra/local/processes/build.ts';
import type { AppKind } from '../../infra/local/processes/apps.ts';
import { rootDir } from '../../infra/local/processes/paths.ts';
import type { Instance } from '../../infra/local/processes/paths.ts';
import { runOrThrow, runToEnd } from '../../infra/local/processes/process.ts';
import type { Finished } from '../../infra/local/processes/process.ts';
import { isRunning, readRunFile } from '../../infra/local/processes/run-files.ts';
import type { RunFile } from '../../infra/local/processes/run-files.ts';
import { SupervisedApp } from '../../infra/local/processes/supervised-app.ts';
import type { Api } from './assign.ts';

/** How many of each run, and where the search for a free port begins. */
const counts: Record<AppKind, number> = { api: 3, issuer: 2, keeper: 2 };
const preferredPort = 18_100;

/**
 * Three apis, two issuers and two keepers, each started again when it dies, as npm start does it.
 * Each api has a port of its own, so that clients meet one that is dead or frozen.
 */
export class ChaosStack {
  readonly apis: Api[] = [];
  private readonly instance: Instance;
  private readonly env: Record<string, string>;
  private readonly apps: SupervisedApp[] = [];
  private readonly failures: Error[] = [];

  constructor(instance: Instance, env: Record<string, string>) {
    this.instance = instance;
    this.env = env;
  }

  /** Migrates, starts the processes, and waits until they are ready. */
  async start(abort: AbortSignal): Promise<void> {
    await this.firstcome('migrate');
    const taken = new Set<number>();
    for (const kind of Object.keys(counts) as AppKind[]) {
      for (let number = 1; number <= counts[kind]; number += 1) {
        const internalPort = await choosePort(preferredPort, taken);
        this.plan(
          kind,
          `chaos-${kind}-${number}`,
          internalPort,
          await choosePort(preferredPort, taken),
        );
      }
    }
    await Promise.all(this.apps.map((app) => app.start()));
    await Promise.all(this.apps.map((app) => app.ready(abort)));
  }

  private plan(kind: AppKind, name: string, internalPort: number, publicPort: number): void {
    const ports = { INTERNAL_PORT: String(internalPort), API_PORT: String(publicPort) };
    if (kind === 'api') {
      this.apis.push({ name, url: `http://127.0.0.1:${publicPort}` });
    }
    this.apps.push(
      new SupervisedApp(
        { name, kind, env: ports, internalPort },
        {
          instance: this.instance,
          env: { ...process.env, ...this.env },
          // Deaths are what this is about; what they do to clients is measured.
          say: () => undefined,
          onBadConfig: (error) => void this.failures.push(error),
        },
      ),
    );
  }

  /** One of the processes of a kind, as it runs now; nothing while it is dead. */
  process(kind: AppKind, which: number): RunFile | undefined {
    const ofKind = this.apps.filter(({ app }) => app.kind === kind);
    const run = readRunFile(this.instance, ofKind[which % ofKind.length]!.app.name);
    return run !== undefined && isRunning(run) ? run : undefined;
  }

  /** The names of the processes that are not ready. */
  async unready(): Promise<string[]> {
    const [failure] = this.failures;
    if (failure !== undefined) {
      throw failure;
    }
    const asked = this.apps.map(async ({ app }) => {
      const url = `http://127.0.0.1:${app.internalPort}/health/ready`;
      const answer = await fetch(url, { signal: AbortSignal.timeout(3_000) }).catch(
        () => undefined,
      );
      await answer?.body?.cancel();
      return answer?.status === 200 ? [] : [app.name];
    });
    return (await Promise.all(asked)).flat();
  }

  /** Runs a command of the command line; throws what it says unless it exits with 0. */
  firstcome(...args: string[]): Promise<string> {
    const command = [...nodeArguments('cli'), ...args];
    return runOrThrow(`firstcome ${args[0]}`, process.execPath, command, this.place());
  }

  /** Checks the invariants, with the journal. */
  verify(journalFile: string, waitSeconds: number): Promise<Finished> {
    const args = ['verify', '--journal', journalFile, '--wait', String(waitSeconds)];
    return runToEnd(process.execPath, [...nodeArguments('cli'), ...args], this.place());
  }

  async createCoupon(total: number): Promise<number> {
    const output = await this.firstcome('coupon', 'create', '--total', String(total), '--json');
    return (JSON.parse(output) as { coupon_id: number }).coupon_id;
  }

  async stop(): Promise<void> {
    await Promise.all(this.apps.map((app) => app.stop()));
  }

  private place(): { cwd: string; env: NodeJS.ProcessEnv } {
    return { cwd: rootDir, env: { ...process.env, ...this.env } };
  }
}
