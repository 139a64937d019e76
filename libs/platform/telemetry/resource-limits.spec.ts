import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { readResourceLimits } from './resource-limits.ts';

const roots: string[] = [];
afterEach(() => roots.splice(0).forEach((root) => rmSync(root, { recursive: true })));

function limitsOf(files: Record<string, string>) {
  const root = mkdtempSync(join(os.tmpdir(), 'limits-'));
  roots.push(root);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return readResourceLimits(root);
}

const machine = { memoryBytes: os.totalmem(), cpus: os.availableParallelism() };
const megabyte = 2 ** 20;

test('without a cgroup, or without a limit there, the machine is the limit', () => {
  expect(limitsOf({})).toEqual(machine);
  const group = 'sys/fs/cgroup/app.slice';
  expect(
    limitsOf({
      'proc/self/cgroup': '0::/app.slice\n',
      [`${group}/memory.max`]: 'max\n',
      [`${group}/cpu.max`]: 'max 100000\n',
    }),
  ).toEqual(machine);
  expect(
    limitsOf({
      'proc/self/cgroup': '9:memory:/\n5:cpu,cpuacct:/\n1:name=systemd:/a b\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    }),
  ).toEqual(machine);
});

test('of cgroup version 2 the least of all groups that it is in counts', () => {
  expect(
    limitsOf({
      'proc/self/cgroup': '0::/pod/container\n',
      'sys/fs/cgroup/pod/memory.max': `${64 * megabyte}\n`,
      'sys/fs/cgroup/pod/container/memory.max': `${128 * megabyte}\n`,
      'sys/fs/cgroup/pod/container/cpu.max': '25000 100000\n',
    }),
  ).toEqual({ memoryBytes: 64 * megabyte, cpus: 0.25 });
});

test('of cgroup version 1 each controller has a tree of its own', () => {
  expect(
    limitsOf({
      'proc/self/cgroup': '9:memory:/box\n5:cpu,cpuacct:/box\n',
      'sys/fs/cgroup/memory/box/memory.limit_in_bytes': `${64 * megabyte}\n`,
      'sys/fs/cgroup/cpu/box/cpu.cfs_quota_us': '50000\n',
      'sys/fs/cgroup/cpu/box/cpu.cfs_period_us': '100000\n',
    }),
  ).toEqual({ memoryBytes: 64 * megabyte, cpus: 0.5 });
});

test('a container that sees itself as the root has its limits there, whatever its path says', () => {
  expect(
    limitsOf({
      'proc/self/cgroup': '0::/system.slice/docker-1.scope\n',
      'sys/fs/cgroup/memory.max': `${32 * megabyte}\n`,
    }),
  ).toEqual({ memoryBytes: 32 * megabyte, cpus: machine.cpus });
});
