import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { expect, test } from 'vitest';
import { lowerPriority } from './priority.ts';

test('a process of lower priority is nicer than we are; one that is gone is no error', async () => {
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  lowerPriority(child.pid!);
  expect(getPriority(child.pid)).toBeGreaterThan(getPriority());
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(() => lowerPriority(child.pid!)).not.toThrow();
});

const ownGroup = '/proc/self/autogroup';

test.skipIf(!existsSync(ownGroup))(
  'only the group of a process with a session of its own is nicer: the group of others is ours',
  async () => {
    const before = readFileSync(ownGroup, 'utf8');
    const groups = await Promise.all(
      [true, false].map(async (detached) => {
        const child = spawn('sleep', ['60'], { detached });
        await once(child, 'spawn');
        lowerPriority(child.pid!);
        const group = readFileSync(`/proc/${child.pid}/autogroup`, 'utf8');
        child.kill('SIGKILL');
        await once(child, 'exit');
        return group;
      }),
    );
    expect(groups).toEqual([expect.stringMatching(/ nice 10$/m), before]);
    expect(readFileSync(ownGroup, 'utf8')).toBe(before);
  },
);
