import type { Household } from '../processes/paths.ts';
import { logFile } from '../processes/paths.ts';
import { processStartTime, spawnDetached, tail, terminate } from '../processes/process.ts';
import { isRunning, removeRunFile, writeRunFile } from '../processes/run-files.ts';
import type { RunFile } from '../processes/run-files.ts';
import { waitForOk } from '../processes/waiting.ts';

const readyDeadlineMs = 30_000;
const stopGraceMs = 5_000;

export interface MonitorPlan {
  name: string;
  command: string;
  port: number;
  args: string[];
  /** Added to our own environment: what nobody else is to see on a command line. */
  env?: Record<string, string>;
  /** Answers 200 once it works. */
  readyPath: string;
}

/** Prometheus, Alertmanager or an exporter, as a process of this machine. */
export class Monitor {
  private run: RunFile | undefined;

  constructor(
    readonly plan: MonitorPlan,
    private readonly household: Household,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.plan.port}`;
  }

  /** Returns once it answers. Throws when it does not. */
  async start(abort: AbortSignal): Promise<void> {
    const { name, command, port, args, env, readyPath } = this.plan;
    abort.throwIfAborted();
    const log = logFile(this.household, name);
    const { pid } = await spawnDetached(command, args, log, { ...process.env, ...env });
    const startedAt = processStartTime(pid) ?? '';
    const run: RunFile = { name, kind: 'app', pid, startedAt, port, command: [], source: command };
    this.run = run;
    writeRunFile(this.household, run);
    await waitForOk(`${this.url}${readyPath}`, `${name} does not answer`, {
      abort,
      deadlineMs: readyDeadlineMs,
      details: () => tail(log),
      // Somebody else may have its port.
      isOurs: () => isRunning(run),
    });
  }

  get isRunning(): boolean {
    return this.run !== undefined && isRunning(this.run);
  }

  async stop(): Promise<void> {
    if (this.run !== undefined) {
      await terminate(this.run.pid, this.run.startedAt, { graceMs: stopGraceMs });
      removeRunFile(this.household, this.plan.name);
      this.run = undefined;
    }
  }
}
