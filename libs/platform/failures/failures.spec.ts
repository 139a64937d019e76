import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { lineGapMs } from '../logging/limited-lines.ts';
import { Telemetry } from '../telemetry/telemetry.ts';
import { Failures } from './failures.ts';

let lines: Record<string, unknown>[];
let failures: Failures;

beforeEach(() => {
  vi.useFakeTimers();
  lines = [];
  const output = {
    write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  };
  failures = new Failures(pino({}, output), new Telemetry('test', false));
});
afterEach(() => {
  failures.close();
  vi.useRealTimers();
});

const away = { cause: 'redis_away', error: new Error('Connection is closed.') } as const;

test('the first failure of a kind is told at once, with its cause and whom it met', () => {
  failures.note('RECOVERING', away, () => ({ request_id: 'r-1' }));
  expect(lines).toMatchObject([
    {
      code: 'RECOVERING',
      cause: 'redis_away',
      msg: 'RECOVERING: Redis cannot be reached',
      request_id: 'r-1',
      err: { message: 'Connection is closed.' },
    },
  ]);
});

test('of many at once one line is written a second, and every one of them is in a line', () => {
  for (let second = 0; second < 3; second += 1) {
    for (let i = 0; i < 100; i += 1) {
      failures.note('RECOVERING', away, () => ({ request_id: `r-${second}-${i}` }));
    }
    vi.advanceTimersByTime(lineGapMs);
  }
  expect(lines.map(({ request_id, more }) => [request_id, more])).toEqual([
    ['r-0-0', 0],
    ['r-0-99', 98],
    ['r-1-99', 99],
    ['r-2-99', 99],
  ]);
});

test('each code and each cause has a line of its own', () => {
  failures.note('RECOVERING', away);
  failures.note('UNCONFIRMED', away);
  failures.note('RECOVERING', { cause: 'gate_shut' });
  expect(lines.map(({ code, cause }) => [code, cause])).toEqual([
    ['RECOVERING', 'redis_away'],
    ['UNCONFIRMED', 'redis_away'],
    ['RECOVERING', 'gate_shut'],
  ]);
});

test('one that comes after a while is told at once again, and nothing is kept meanwhile', () => {
  failures.note('RECOVERING', away);
  vi.advanceTimersByTime(2 * lineGapMs);
  expect(vi.getTimerCount()).toBe(0);
  failures.note('RECOVERING', away);
  expect(lines).toHaveLength(2);
});

test('a process that ends tells what it held back', () => {
  failures.note('RECOVERING', away);
  failures.note('RECOVERING', away, () => ({ request_id: 'last' }));
  failures.close();
  expect(lines.at(-1)).toMatchObject({ request_id: 'last', more: 0 });
});
