import { join } from 'node:path';

/** `dev` belongs to `npm start`, `test` to `npm test`: they run side by side. */
export type Instance = 'dev' | 'test';
/** What has processes, logs and an owner here: an instance, or what watches one. */
export type Household = Instance | 'observe' | 'test-observe' | 'faults-observe';

export const serverNames = ['gate-redis', 'jobs-redis', 'kafka', 'mysql'] as const;
export type ServerName = (typeof serverNames)[number];

export const rootDir = join(import.meta.dirname, '..', '..', '..');
export const localDir = join(rootDir, '.local');

/** Everything one instance keeps on disk. */
export function instanceDir(instance: Household): string {
  return join(localDir, instance);
}

/** Where a server keeps its data. */
export function dataDir(instance: Instance, name: ServerName): string {
  return join(instanceDir(instance), name);
}

/** One JSON file per running process: see run-files.ts. */
export function runDir(instance: Household): string {
  return join(instanceDir(instance), 'run');
}

export function logsDir(instance: Household): string {
  return join(instanceDir(instance), 'logs');
}

export function logFile(instance: Household, name: string): string {
  return join(logsDir(instance), `${name}.log`);
}

/** Where processes under test note which statements they send to MySQL: test/statements. */
export function statementsDir(): string {
  return join(instanceDir('test'), 'statements');
}
