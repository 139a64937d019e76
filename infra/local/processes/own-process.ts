import type { ChildProcess } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { processHeader } from '#platform/process/process-header.ts';
import { ReadableError } from '../terminal/readable-error.ts';
import { freeze, standsStill } from './freeze.ts';
import { logFile } from './paths.ts';
import type { Instance } from './paths.ts';
import { processStartTime, spawnDetached, tail, terminate } from './process.ts';
import { removeRunFile, writeRunFile } from './run-files.ts';
import { waitForOk } from './waiting.ts';

/** Longer than a process takes to end, once it is drained. */
const stopGraceMs = 12_000;
const readyDeadlineMs = 60_000;
const answerTimeoutMs = 3_000;
/** Of its output: what matters is at the end. */
const charactersKept = 200_000;

/** A process of ours, and how it is started. */
export interface ProcessPlan {
  name: string;
  /** What node is to run, and how. */
  args: string[];
  /** Added to our own environment. */
  env: NodeJS.ProcessEnv;
  /** Where /health/ready is. */
  internalPort: number;
  /** Where requests go, if anywhere. */
  publicPort?: number;
}

/** Whether the process with this pid gave an answer on its internal port. */
export function isFrom(headers: Headers, pid: number): boolean {
  return headers.get(processHeader) === String(pid);
}

export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/**
 * One process of ours, in a group of its own. Its output goes to the logs of the instance, and its run
 * file lets the next start stop one that was left behind.
 */
export class OwnProcess<Plan extends ProcessPlan = ProcessPlan> {
  private child: (ChildProcess & { pid: number }) | undefined;
  private startedAt = '';
  private logStart = 0;
  private toldToStop = false;
  private ended = new AbortController();
  private exited: Promise<Ending> = Promise.resolve({ code: null, signal: null });

  constructor(
    readonly plan: Plan,
    private readonly instance: Instance,
  ) {}

  /** Also again, after it ended. Throws when it cannot be started. */
  async start(): Promise<void> {
    const { name, args, env, internalPort } = this.plan;
    this.logStart = statSync(this.logFile, { throwIfNoEntry: false })?.size ?? 0;
    const child = await spawnDetached(process.execPath, args, this.logFile, {
      ...process.env,
      ...env,
    });
    const ended = new AbortController();
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        ended.abort(new ReadableError(`${name} ended. ${tail(this.logFile)}`));
        resolve({ code, signal });
      });
    });
    this.child = child;
    this.ended = ended;
    this.toldToStop = false;
    this.startedAt = processStartTime(child.pid) ?? '';
    writeRunFile(this.instance, {
      name,
      kind: 'app',
      pid: child.pid,
      startedAt: this.startedAt,
      port: internalPort,
      command: [process.execPath, ...args],
      source: process.execPath,
    });
  }

  get name(): string {
    return this.plan.name;
  }

  get internalUrl(): string {
    return `http://127.0.0.1:${this.plan.internalPort}`;
  }

  get publicUrl(): string {
    return `http://127.0.0.1:${this.plan.publicPort}`;
  }

  get logFile(): string {
    return logFile(this.instance, this.plan.name);
  }

  /** What it has said since it was started. */
  get output(): string {
    return readFileSync(this.logFile).subarray(this.logStart).toString().slice(-charactersKept);
  }

  get pid(): number {
    return this.child!.pid;
  }

  get isRunning(): boolean {
    return this.child?.exitCode === null && this.child.signalCode === null;
  }

  /** As a load balancer sees it, which sends nothing to a process that is on its way out. */
  get takesRequests(): boolean {
    return this.isRunning && !this.toldToStop;
  }

  /** Stopped by SIGSTOP, and not yet continued. */
  standsStill(): Promise<boolean> {
    return standsStill(this.pid);
  }

  /** Until `signal('SIGCONT')`. */
  freeze(): Promise<void> {
    return freeze(this.pid);
  }

  /** The status and body of `/health/ready`; undefined while it does not answer, or somebody else does. */
  async readiness(): Promise<{ status: number; text: string } | undefined> {
    try {
      const response = await fetch(`${this.internalUrl}/health/ready`, {
        signal: AbortSignal.timeout(answerTimeoutMs),
      });
      if (!isFrom(response.headers, this.pid)) {
        return undefined;
      }
      return { status: response.status, text: await response.text() };
    } catch {
      return undefined;
    }
  }

  /** What `/metrics` says. */
  async metrics(): Promise<string> {
    return (await fetch(`${this.internalUrl}/metrics`)).text();
  }

  /** Waits until it says that it is ready. Throws why it is not, or that it ended. */
  ready(deadlineMs = readyDeadlineMs, abort?: AbortSignal): Promise<void> {
    const ended = this.ended.signal;
    return this.untilReady(deadlineMs, abort ? AbortSignal.any([ended, abort]) : ended);
  }

  /** The same, of one that is started again when it ends. */
  async untilReady(deadlineMs: number, abort: AbortSignal): Promise<void> {
    // What an earlier one has said would mislead.
    const details = (): string =>
      this.output === '' ? `${this.name} has said nothing yet.` : tail(this.logFile);
    const url = `${this.internalUrl}/health/ready`;
    // Started again, it has another pid.
    const isOurs = (headers: Headers): boolean => isFrom(headers, this.pid);
    await waitForOk(url, `${this.name} is not ready`, { deadlineMs, abort, details, isOurs });
  }

  signal(signal: NodeJS.Signals): void {
    this.toldToStop ||= signal === 'SIGTERM';
    this.child?.kill(signal);
  }

  /** Waits for the process to end, however it does. */
  exit(): Promise<Ending> {
    // Somebody waits for it now, who would else come to an end before.
    this.child?.ref();
    return this.exited;
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exit();
  }

  /** SIGTERM, also for one that stands still, and SIGKILL for one that takes 12 s longer than its drain. */
  async stop(): Promise<void> {
    if (this.child !== undefined) {
      this.toldToStop = true;
      const graceMs = stopGraceMs + Number(this.plan.env['SHUTDOWN_DRAIN_MS'] ?? 0);
      await terminate(this.child.pid, this.startedAt, { graceMs });
      await this.exit();
      removeRunFile(this.instance, this.plan.name);
    }
  }
}
