import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { CheckResult, Verdict } from './check.ts';
import { CheckWatch } from './check-watch.ts';

let verdict: Verdict;
let looks: number;
let watch: CheckWatch;

beforeEach(() => {
  verdict = 'ok';
  looks = 0;
  const check = async () => {
    looks += 1;
    const message = `it is ${verdict}`;
    return [{ name: 'kafka.some', verdict, message, why: 'reasons', remedy: 'a command' }];
  };
  watch = new CheckWatch(check, { intervalMs: 10, soonMs: 10 });
});
afterEach(() => watch.stop());

async function untilLookedAgain(): Promise<void> {
  const before = looks;
  // The first may have begun before the verdict was changed.
  await vi.waitFor(() => expect(looks).toBeGreaterThan(before + 1));
}

it('vouches for nothing before it has looked', async () => {
  expect(watch.promises()).toBe('was not looked at yet');
  await untilLookedAgain();
  expect(watch.promises()).toBeUndefined();
  expect(watch.warnings()).toBeUndefined();
});

it('says what makes a promise void, why, and what to run; and that it is over', async () => {
  verdict = 'promise_void';
  void watch.warnings();
  await untilLookedAgain();
  expect(watch.promises()).toBe('it is promise_void: reasons (to mend it: a command)');
  expect(watch.warnings()).toBeUndefined();
  verdict = 'warning';
  await untilLookedAgain();
  expect(watch.promises()).toBeUndefined();
  expect(watch.warnings()).toContain('it is warning');
});

it('goes on looking at one thing while another can never be asked', async () => {
  const results = (): CheckResult[] => [
    { name: 'kafka.some', verdict, message: `it is ${verdict}` },
    { name: 'kafka.secret', verdict: 'away', message: 'not allowed' },
  ];
  watch = new CheckWatch(async () => ((looks += 1), results()), { intervalMs: 10, soonMs: 10 });
  void watch.warnings();
  await untilLookedAgain();
  expect(watch.promises()).toBeUndefined();
  verdict = 'promise_void';
  await untilLookedAgain();
  expect(watch.promises()).toBe('it is promise_void');
});

it('keeps what it has found while nothing can be asked', async () => {
  verdict = 'promise_void';
  void watch.warnings();
  await untilLookedAgain();
  expect(watch.found).toMatchObject([{ name: 'kafka.some', verdict: 'promise_void' }]);
  verdict = 'away';
  await untilLookedAgain();
  expect(watch.promises()).toContain('it is promise_void');
  // A metric shows only what is known now.
  expect(watch.found).toEqual([]);
});
