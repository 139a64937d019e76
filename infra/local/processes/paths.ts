import { join } from 'node:path';

/** Sets of servers that run side by side: `dev` is `npm start`'s, the others are `npm test`'s. */
export const instances = ['dev', 'test', 'test-outage'] as const;
export type Instance = (typeof instances)[number];
/** Whose servers a test uses, and where its processes belong: `npm test` says so. */
export const testInstance = (process.env['SERVERS_INSTANCE'] ?? 'test') as Instance;
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
export function statementsDir(instance: Instance = 'test'): string {
  return join(instanceDir(instance), 'statements');
}
