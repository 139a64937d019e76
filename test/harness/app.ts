import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { nodeArguments } from '../../infra/local/processes/build.ts';
import { freePort } from './free-port.ts';

export type AppKind = 'api' | 'issuer' | 'keeper';

const pollMs = 50;
const logCharactersKept = 200_000;

/** One running process of firstcome, as built in `dist`. */
export class App {
  private log = '';
  private toldToStop = false;
  private readonly exited: Promise<unknown[]>;

  private constructor(
    readonly kind: AppKind,
    readonly publicUrl: string,
    readonly internalUrl: string,
    private readonly child: ChildProcess,
  ) {
    this.exited = once(child, 'exit');
    const keep = (chunk: Buffer): void => {
      this.log = (this.log + chunk.toString()).slice(-logCharactersKept);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
  }

  static async start(kind: AppKind, env: Record<string, string>): Promise<App> {
    const [publicPort, internalPort] = [await freePort(), await freePort()];
    const child = spawn(process.execPath, nodeArguments(kind), {
      env: {
        ...process.env,
        ...env,
        API_PORT: String(publicPort),
        INTERNAL_PORT: String(internalPort),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const base = 'http://127.0.0.1';
    return new App(kind, `${base}:${publicPort}`, `${base}:${internalPort}`, child);
  }

  get output(): string {
    return this.log;
  }

  get pid(): number {
    return this.child.pid!;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** As a load balancer sees it, which sends nothing to a process that is on its way out. */
  get takesRequests(): boolean {
    return this.isRunning && !this.toldToStop;
  }

  /** Stopped by SIGSTOP, and not yet continued. */
  async standsStill(): Promise<boolean> {
    const args = ['-o', 'state=', '-p', String(this.child.pid)];
    const { stdout } = await promisify(execFile)('ps', args);
    return stdout.startsWith('T');
  }

  /** The status and body of `/health/ready`; undefined while nothing answers. */
  async readiness(): Promise<{ status: number; text: string } | undefined> {
    try {
      const response = await fetch(`${this.internalUrl}/health/ready`);
      return { status: response.status, text: await response.text() };
    } catch {
      return undefined;
    }
  }

  /** What `/metrics` says. */
  async metrics(): Promise<string> {
    return (await fetch(`${this.internalUrl}/metrics`)).text();
  }

  async ready(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const readiness = await this.readiness();
      if (readiness?.status === 200) {
        return;
      }
      if (!this.isRunning || Date.now() > deadline) {
        throw new Error(
          `${this.kind} is not ready: ${readiness?.text ?? 'no answer'}\n${this.log}`,
        );
      }
      await delay(pollMs);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.toldToStop ||= signal === 'SIGTERM';
    this.child.kill(signal);
  }

  /** Waits for the process to end, however it does. */
  async exit(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    if (this.isRunning) {
      await this.exited;
    }
    return { code: this.child.exitCode, signal: this.child.signalCode };
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exit();
  }

  async stop(): Promise<void> {
    if (this.isRunning) {
      this.signal('SIGTERM');
      await this.exit();
    }
  }
}
