import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BackOff } from '../processes/back-off.ts';
import { logFile, rootDir, serverNames } from '../processes/paths.ts';
import type { Instance, ServerName } from '../processes/paths.ts';
import { messageOf } from '#platform/text/error-message.ts';
import { isRunning, readRunFile } from '../processes/run-files.ts';
import { startServer } from './servers.ts';

const lookEveryMs = 1_000;

/**
 * Starts servers again that died. One that was stopped on purpose (`stopServer`) has no run file
 * and stays as it is. Containers are left to Docker.
 */
export class ServerWatch {
  private readonly instance: Instance;
  private readonly say: (text: string) => void;
  private readonly past = new Map<ServerName, { backOff: BackOff; upSince: number }>();
  private readonly restarting = new Map<ServerName, Promise<void>>();
  private readonly timer: NodeJS.Timeout;
  private stopped = false;

  constructor(instance: Instance, say: (text: string) => void) {
    this.instance = instance;
    this.say = say;
    this.timer = setInterval(() => this.look(), lookEveryMs);
  }

  /** Starts nothing from now on. */
  stop(): void {
    this.stopped = true;
    clearInterval(this.timer);
  }

  /** Returns once no start is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.restarting.values());
  }

  private look(): void {
    for (const name of serverNames) {
      const run = readRunFile(this.instance, name);
      const died = run !== undefined && run.source !== 'docker' && !isRunning(run);
      if (died && !this.restarting.has(name)) {
        const restart = this.restart(name).finally(() => this.restarting.delete(name));
        this.restarting.set(name, restart);
      }
    }
  }

  private async restart(name: ServerName): Promise<void> {
    const past = this.past.get(name) ?? { backOff: new BackOff(), upSince: 0 };
    this.past.set(name, past);
    const waitMs = past.backOff.nextWaitMs(Date.now() - past.upSince);
    const log = relative(rootDir, logFile(this.instance, name));
    this.say(`${name} died, starts again in ${waitMs / 1_000} s; log: ${log}`);
    await sleep(waitMs);
    try {
      // Without a run file it was stopped on purpose in the meantime.
      if (!this.stopped && readRunFile(this.instance, name) !== undefined) {
        await startServer(this.instance, name);
        this.say(`${name} is back.`);
      }
    } catch (error) {
      if (!this.stopped) this.say(`${name} did not come back: ${messageOf(error)}`);
    }
    past.upSince = Date.now();
  }
}
