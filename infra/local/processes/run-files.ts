import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { runDir } from './paths.ts';
import type { Household } from './paths.ts';
import { isSameProcess } from './process.ts';

/** One running process, written when it is started and removed when it is stopped on purpose. */
export interface RunFile {
  name: string;
  /** `spare`: a server that one test has to itself. */
  kind: 'server' | 'app' | 'spare' | 'supervisor';
  /** 0 for a container: Docker knows its process. */
  pid: number;
  /** When the process `pid` started, to tell it from a later one with the same number. */
  startedAt: string;
  port: number;
  command: string[];
  /** Where it came from, for people. */
  source: string;
  /** The supervisor only: how to reach the servers. */
  env?: Record<string, string>;
}

/** Written aside and renamed, so that no reader ever sees half a file. */
export function writeRunFile(instance: Household, run: RunFile): void {
  renameSync(writeAside(instance, run), runFile(instance, run.name));
}

/** Like `writeRunFile`, but returns false, and changes nothing, when there is one already. */
export function createRunFile(instance: Household, run: RunFile): boolean {
  const aside = writeAside(instance, run);
  try {
    linkSync(aside, runFile(instance, run.name));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** For the owner's eyes only: `env` may hold passwords. */
function writeAside(instance: Household, run: RunFile): string {
  mkdirSync(runDir(instance), { recursive: true });
  const aside = `${runFile(instance, run.name)}.${process.pid}`;
  writeFileSync(aside, `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600 });
  return aside;
}

/** What was last written about this process; it may be dead by now. */
export function readRunFile(instance: Household, name: string): RunFile | undefined {
  try {
    return JSON.parse(readFileSync(runFile(instance, name), 'utf8')) as RunFile;
  } catch {
    return undefined;
  }
}

export function removeRunFile(instance: Household, name: string): void {
  rmSync(runFile(instance, name), { force: true });
}

/** All processes of an instance that have a run file. */
export function listRunFiles(instance: Household): RunFile[] {
  let files: string[];
  try {
    files = readdirSync(runDir(instance));
  } catch {
    return [];
  }
  return files
    .filter((file) => file.endsWith('.json'))
    .map((file) => readRunFile(instance, file.slice(0, -'.json'.length)))
    .filter((run) => run !== undefined);
}

/** Whether the very process of this run file still lives. */
export function isRunning(run: RunFile): boolean {
  return run.pid > 0 && isSameProcess(run.pid, run.startedAt);
}

function runFile(instance: Household, name: string): string {
  return join(runDir(instance), `${name}.json`);
}
