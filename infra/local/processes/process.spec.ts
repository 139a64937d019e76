import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import {
  isSameProcess,
  processStartTime,
  runToEnd,
  startTimeFromStat,
  terminate,
} from './process.ts';
import { waitUntil } from './waiting.ts';

/** A line of /proc/PID/stat in which every field after the state is its own number. */
function statLine(options: { state: string; threads: number; startTicks: number }): string {
  const fields = Array.from({ length: 49 }, (_, index) => String(index + 4));
  fields[16] = String(options.threads);
  fields[18] = String(options.startTicks);
  return `4711 (a ) name) ${options.state} ${fields.join(' ')}`;
}

test('reads the start time although the program name holds brackets', () => {
  expect(startTimeFromStat(statLine({ state: 'S', threads: 3, startTicks: 815 }))).toBe('815');
});

test('a zombie is gone, unless threads of it still run', () => {
  expect(startTimeFromStat(statLine({ state: 'Z', threads: 1, startTicks: 815 }))).toBeUndefined();
  expect(startTimeFromStat(statLine({ state: 'Z', threads: 9, startTicks: 815 }))).toBe('815');
});

test('knows a process by its start time, not by its number alone', () => {
  const startedAt = processStartTime(process.pid) ?? '';
  expect(isSameProcess(process.pid, startedAt)).toBe(true);
  expect(isSameProcess(process.pid, `${startedAt}0`)).toBe(false);
});

test('leaves a process alone that has the number of the one to end', async () => {
  await terminate(process.pid, 'another start time');
  expect(process.pid).toBeGreaterThan(0);
});

test('kills a process that does not heed SIGTERM', async () => {
  const stubborn = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1e6); console.log("up")';
  const child = spawn(process.execPath, ['-e', stubborn], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const pid = child.pid ?? 0;
  await terminate(pid, processStartTime(pid) ?? '', { graceMs: 100 });
  expect(await ended).toBe('SIGKILL');
});

test('a program that is not there ends with 127', async () => {
  expect((await runToEnd('no-such-program', [])).code).toBe(127);
});

test('a program that is not there keeps nobody until its time is over', async () => {
  const timers = (): number =>
    process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  expect((await runToEnd('no-such-program', [], { timeoutMs: 600_000 })).code).toBe(127);
  await expect.poll(timers).toBeLessThanOrEqual(before);
});

test('a program that does not end is ended when its time is over', async () => {
  const { code, signal } = await runToEnd('sleep', ['600'], { timeoutMs: 100 });
  expect([code, signal]).toEqual([null, 'SIGTERM']);
});

test('waiting ends with the reason of the caller', async () => {
  const never = waitUntil(() => undefined, {
    deadlineMs: 30,
    intervalMs: 5,
    failure: () => 'late',
  });
  await expect(never).rejects.toThrow('late');
});
