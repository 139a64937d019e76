import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runOrThrow, runToEnd } from '../processes/process.ts';
import type { Report } from '../terminal/progress.ts';
import { ReadableError } from '../terminal/readable-error.ts';

/** A program that a server needs, and the packages that bring it. */
export interface Program {
  /** Names it may have; the first that is found is taken. */
  binaries: string[];
  /** Debian packages that bring it; the first one that apt knows is installed. */
  apt: string[];
  brew: string;
  /** Sorts out programs that are there but will not do, such as an old Java. */
  suits?: (path: string) => Promise<boolean>;
}

/** Where daemons live that an ordinary user's PATH leaves out, and Homebrew's unlinked packages. */
const moreDirectories = [
  '/usr/sbin',
  '/usr/local/sbin',
  '/opt/homebrew/bin',
  '/opt/homebrew/opt/openjdk/bin',
  '/usr/local/opt/openjdk/bin',
];

const aptEnvironment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
/** What else there is to do about programs that are missing; HOW is how to install them. */
const serversOtherWays =
  'Start Docker, or install them (HOW), or give GATE_REDIS_URL, JOBS_REDIS_URL, KAFKA_BROKERS and ' +
  'MYSQL_URL in the environment.';
const policyFile = '/usr/sbin/policy-rc.d';

/** The path of a program, or nothing when it is not there or will not do. */
export async function findProgram(program: Program): Promise<string | undefined> {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), ...moreDirectories];
  for (const binary of program.binaries) {
    for (const directory of directories.filter((each) => each !== '')) {
      const path = join(directory, binary);
      if (isExecutable(path) && ((await program.suits?.(path)) ?? true)) {
        return path;
      }
    }
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Makes sure that every program is there: installs the missing ones with apt when this is root on
 * a Debian, else throws one readable line that says what to install, or what else to do.
 */
export async function ensurePrograms(
  programs: Program[],
  report: Report,
  otherWays = serversOtherWays,
): Promise<void> {
  const missing = await programsMissing(programs);
  if (missing.length === 0) {
    return;
  }
  if (!canInstall()) {
    throw new ReadableError(missingPrograms(missing, process.platform, otherWays));
  }
  await report.step('apt-get update', () => aptGet('update'));
  const packages: string[] = [];
  for (const program of missing) {
    packages.push(await knownPackage(program.apt));
  }
  await report.step(`apt-get install ${packages.join(' ')}`, () =>
    withoutServiceStarts(() => aptGet('install', '-y', '--no-install-recommends', ...packages)),
  );
  for (const program of missing) {
    if ((await findProgram(program)) === undefined) {
      throw new ReadableError(
        `apt-get installed ${packages.join(', ')}, but ${program.binaries[0]} is still missing.`,
      );
    }
  }
}

export async function programsMissing(programs: Program[]): Promise<Program[]> {
  const found = await Promise.all(programs.map((program) => findProgram(program)));
  return programs.filter((_, i) => found[i] === undefined);
}

/** Whether `ensurePrograms` may install what is missing. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && isExecutable('/usr/bin/apt-get');
}

/** What to install, for somebody who has to do it by hand. */
export function missingPrograms(
  missing: Program[],
  platform: NodeJS.Platform,
  otherWays = serversOtherWays,
): string {
  const names = missing.map((program) => program.binaries[0]).join(', ');
  const how =
    platform === 'darwin'
      ? `brew install ${missing.map((program) => program.brew).join(' ')}`
      : `sudo apt-get install ${missing.map((program) => program.apt[0]).join(' ')}`;
  return `Not found on this machine: ${names}. ${otherWays.replace('HOW', how)}`;
}

async function aptGet(...args: string[]): Promise<void> {
  const patience = ['-q', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=3'];
  await runOrThrow(`apt-get ${args[0]}`, 'apt-get', [...patience, ...args], {
    env: aptEnvironment,
  });
}

async function knownPackage(names: string[]): Promise<string> {
  for (const name of names) {
    const policy = await runToEnd('apt-cache', ['policy', name], { env: { LC_ALL: 'C' } });
    if (/Candidate: (?!\(none\))/.test(policy.output)) {
      return name;
    }
  }
  throw new ReadableError(`apt-get knows no package ${names.join(' or ')}. Start Docker instead.`);
}

/**
 * Debian starts a server when its package is installed; we want the program only, not a second
 * server on the standard port. A machine that has a policy of its own keeps it.
 */
export async function withoutServiceStarts<T>(
  work: () => Promise<T>,
  file: string = policyFile,
): Promise<T> {
  if (existsSync(file)) {
    return work();
  }
  writeFileSync(file, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}
