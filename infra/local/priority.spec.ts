import { spawn } from 'node:child_process';
import { once } from 'node:events';
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
