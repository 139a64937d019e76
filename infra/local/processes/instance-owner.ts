import { basename } from 'node:path';
import type { Household } from './paths.ts';
import { processStartTime } from './process.ts';
import { ReadableError } from '../terminal/readable-error.ts';
import { createRunFile, isRunning, readRunFile, removeRunFile, writeRunFile } from './run-files.ts';
import type { RunFile } from './run-files.ts';

const supervisor = 'supervisor';

/**
 * Makes this process the only one that runs the servers of an instance. Throws when another one
 * does; an instance whose owner died is taken over.
 */
export function takeInstance(instance: Household): void {
  const owner = instanceOwner(instance);
  if (owner !== undefined && owner.pid !== process.pid) {
    throw new ReadableError(alreadyRunning(instance, owner));
  }
  removeRunFile(instance, supervisor);
  if (!createRunFile(instance, ownerFile({}))) {
    throw new ReadableError(alreadyRunning(instance, instanceOwner(instance)));
  }
}

/** Leaves word for other commands how to reach the servers. */
export function publishEnvironment(instance: Household, env: Record<string, string>): void {
  writeRunFile(instance, ownerFile(env));
}

/** Gives the instance up, if this process has it. */
export function releaseInstance(instance: Household): void {
  if (readRunFile(instance, supervisor)?.pid === process.pid) {
    removeRunFile(instance, supervisor);
  }
}

/** The living process that runs an instance, if there is one. */
export function instanceOwner(instance: Household): RunFile | undefined {
  const owner = readRunFile(instance, supervisor);
  return owner !== undefined && isRunning(owner) ? owner : undefined;
}

/** What somebody typed to start the process that runs an instance. */
export function commandOf({ command }: RunFile): string {
  const name = basename(command[1] ?? '', '.ts');
  return name === 'start' || name === 'test' ? `npm ${name}` : `npm run ${name}`;
}

function ownerFile(env: Record<string, string>): RunFile {
  return {
    name: supervisor,
    kind: 'supervisor',
    pid: process.pid,
    startedAt: processStartTime(process.pid) ?? '',
    port: 0,
    command: process.argv,
    source: process.execPath,
    env,
  };
}

/** Without an owner somebody was quicker, and has ended already. */
function alreadyRunning(instance: Household, owner: RunFile | undefined): string {
  const who = owner === undefined ? '' : ` (${commandOf(owner)}, pid ${owner.pid})`;
  const kill = `kill ${owner?.pid ?? ''}`;
  switch (instance) {
    case 'dev':
      return `firstcome already runs here${who}. Stop it first: npm run stop`;
    case 'observe':
      return `It is observed already${who}, which prints its URLs. Stop it: Ctrl-C there, or ${kill}`;
    default:
      return `Tests already run here${who}. Wait for them, or stop them: ${kill}`;
  }
}
