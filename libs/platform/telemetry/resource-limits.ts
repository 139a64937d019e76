import { readFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';

export interface ResourceLimits {
  memoryBytes: number;
  /** May be a part of one. */
  cpus: number;
}

/**
 * How much memory and CPU this process may have: what its cgroup allows (version 2, else 1) or one that it
 * is in, and never more than the machine has. `root` is for tests.
 */
export function readResourceLimits(root = '/'): ResourceLimits {
  const groups = cgroups(root);
  return {
    memoryBytes: Math.min(os.totalmem(), ...groups.flatMap(memoryLimitOf)),
    cpus: Math.min(os.availableParallelism(), ...groups.flatMap(cpuLimitOf)),
  };
}

/** The folders of all cgroups that this process is in. */
function cgroups(root: string): string[] {
  const lines = (readWords(join(root, 'proc/self/cgroup')) ?? []).map((line) => line.split(':'));
  return lines.flatMap(([, controllers = '', ...path]) => {
    const mount = join(root, 'sys/fs/cgroup');
    // Version 2 names no controllers. Version 1 has one tree for each of those that count here.
    const trees = controllers === '' ? [''] : controllers.split(',').filter(isCounted);
    return trees.flatMap((tree) =>
      upwards(path.join(':')).map((group) => join(mount, tree, group)),
    );
  });
}

function isCounted(controller: string): boolean {
  return controller === 'memory' || controller === 'cpu';
}

/** `/a/b` is in `/a`, and that in `/`. In a container the path may be one that is not there: `/` is. */
function upwards(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '');
  return [...names.keys(), names.length].map((count) => `/${names.slice(0, count).join('/')}`);
}

function memoryLimitOf(group: string): number[] {
  const limits = [
    readWords(join(group, 'memory.max')),
    readWords(join(group, 'memory.limit_in_bytes')),
  ];
  return limits.map((words) => Number(words?.[0])).filter((bytes) => bytes > 0);
}

function cpuLimitOf(group: string): number[] {
  const [quota, period] = readWords(join(group, 'cpu.max')) ?? [
    readWords(join(group, 'cpu.cfs_quota_us'))?.[0],
    readWords(join(group, 'cpu.cfs_period_us'))?.[0],
  ];
  // `max` and −1 are no limit.
  return [Number(quota) / Number(period)].filter((cpus) => cpus > 0);
}

function readWords(file: string): string[] | undefined {
  try {
    return readFileSync(file, 'utf8').trim().split(/\s+/);
  } catch {
    return undefined;
  }
}
