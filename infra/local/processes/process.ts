import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '#platform/text/error-message.ts';
import { ReadableError } from '../terminal/readable-error.ts';
import { waitUntil } from './waiting.ts';

const logSizeMaxBytes = 50_000_000;
/** Of a log file, and of the output of a program that failed. */
const tailLines = 15;
const outputLines = 40;

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** Both together, in the order they came. */
  output: string;
}

/**
 * When a process started, in the words of the system, or nothing when there is no such process. A
 * zombie counts as gone: it was killed, and nobody has asked for its exit code yet.
 */
export function processStartTime(pid: number): string | undefined {
  if (process.platform !== 'linux') {
    return startTimeFromPs(pid);
  }
  try {
    return startTimeFromStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Reads /proc/PID/stat. The program name, in brackets, may itself hold spaces and brackets. */
export function startTimeFromStat(stat: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, threads, startTicks] = [fields[0], Number(fields[17]), fields[19]];
  // A killed JVM shows as a zombie while its other threads still hold its ports.
  const isGone = (state === 'Z' && threads <= 1) || state === 'X';
  return isGone ? undefined : startTicks;
}

function startTimeFromPs(pid: number): string | undefined {
  const ps = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  const [state = '', ...startedAt] = ps.stdout.trim().split(/\s+/);
  return state === '' || state.startsWith('Z') ? undefined : startedAt.join(' ');
}

/** Whether `pid` is alive and is the process that started then, not a later one with its number. */
export function isSameProcess(pid: number, startedAt: string): boolean {
  return processStartTime(pid) === startedAt;
}

/** Appends to a log file, and starts a new one when it has grown past 50 MB. */
export function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > logSizeMaxBytes) {
    renameSync(file, `${file}.old`);
  }
  return openSync(file, 'a');
}

/**
 * Starts a process in a group of its own, so that Ctrl-C in the terminal does not reach it. Its
 * output goes to `log`. Throws when the program cannot be started.
 */
export async function spawnDetached(
  command: string,
  args: string[],
  log: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<ChildProcess & { pid: number }> {
  const output = openLog(log);
  try {
    const child = spawn(command, args, { env, detached: true, stdio: ['ignore', output, output] });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    return child as ChildProcess & { pid: number };
  } catch (error) {
    throw new ReadableError(`${command} could not be started: ${messageOf(error)}`);
  } finally {
    closeSync(output);
  }
}

/** Runs a program to its end and collects what it prints. A missing program is exit code 127. */
export async function runToEnd(
  command: string,
  args: string[],
  options: {
    cwd?: string;
    env?: NodeJS.ProcessEnv;
    timeoutMs?: number;
    signal?: AbortSignal;
  } = {},
): Promise<Finished> {
  const { timeoutMs, ...rest } = options;
  const child = spawn(command, args, { ...rest, stdio: ['ignore', 'pipe', 'pipe'] });
  if (timeoutMs !== undefined) {
    // Not the option of `spawn`: of a program that is not there it keeps our process until then.
    setTimeout(() => child.kill(), timeoutMs).unref();
  }
  const said = { stdout: '', stderr: '', output: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
      said.output += text;
    });
  }
  return new Promise((resolve) => {
    child.once('error', ({ message }) =>
      resolve({ code: 127, signal: null, stdout: '', stderr: message, output: message }),
    );
    child.once('close', (code, signal) => resolve({ code, signal, ...said }));
  });
}

/** Returns what a program prints; throws a readable error with the end of it unless it exits 0. */
export async function runOrThrow(
  what: string,
  command: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; signal?: AbortSignal } = {},
): Promise<string> {
  const finished = await runToEnd(command, args, options);
  if (finished.code !== 0) {
    const ending = finished.code === null ? `signal ${finished.signal}` : `exit ${finished.code}`;
    throw new ReadableError(
      `${what} failed (${ending}):\n${lastLines(finished.output, outputLines)}`,
    );
  }
  return finished.stdout;
}

/**
 * Signals a process and waits until it is gone; after `graceMs` kills it. A process that is already
 * gone, or whose number now belongs to another one, is left alone.
 */
export async function terminate(
  pid: number,
  startedAt: string,
  options: { signal?: NodeJS.Signals; graceMs?: number } = {},
): Promise<void> {
  const gone = (): true | undefined => (isSameProcess(pid, startedAt) ? undefined : true);
  signalIfAlive(pid, startedAt, options.signal ?? 'SIGTERM');
  // A process frozen by SIGSTOP hears nothing but SIGKILL until it is woken.
  signalIfAlive(pid, startedAt, 'SIGCONT');
  const graceMs = options.graceMs ?? 15_000;
  const wait = { intervalMs: 50, failure: (): string => `Process ${pid} does not end.` };
  try {
    await waitUntil(gone, { ...wait, deadlineMs: graceMs });
  } catch {
    signalIfAlive(pid, startedAt, 'SIGKILL');
    await waitUntil(gone, { ...wait, deadlineMs: 5_000 });
  }
}

/** Signals this very process, not a later one with its number. */
export function signalIfAlive(pid: number, startedAt: string, signal: NodeJS.Signals): void {
  if (isSameProcess(pid, startedAt)) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      // It ended between the look and the signal.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** The last lines of a log file, indented, to go under an error message. */
export function tail(file: string): string {
  try {
    return `${file}:\n${lastLines(readFileSync(file, 'utf8'), tailLines)}`;
  } catch {
    return `${file} is empty.`;
  }
}

function lastLines(text: string, count: number): string {
  const lines = text.trimEnd().split('\n').slice(-count);
  return lines.map((line) => `  ${line}`).join('\n');
}
