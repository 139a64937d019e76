import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { DeadLetter } from '#coupon/dead-letter.ts';
import { lineGapMs } from '#platform/logging/limited-lines.ts';
import { aRequestRecord } from '../../test/harness/fixtures.ts';
import { DeadLetterLines } from './dead-letter-lines.ts';

let written: Record<string, unknown>[];
let lines: DeadLetterLines;

beforeEach(() => {
  vi.useFakeTimers();
  written = [];
  const output = {
    write: (line: string) => void written.push(JSON.parse(line) as Record<string, unknown>),
  };
  lines = new DeadLetterLines(pino({}, output));
});
afterEach(() => {
  lines.onApplicationShutdown();
  vi.useRealTimers();
});

function letterAt(offset: string, value: unknown): DeadLetter {
  return {
    topic: 'requests',
    partition: 3,
    offset,
    recordedAt: 0,
    key: null,
    value: Buffer.from(JSON.stringify(value)),
    headers: [],
    traceId: null,
    reason: 'a reason',
  };
}

test('a line says why, where it stood, and whom it named', () => {
  const record = aRequestRecord({ couponId: 7, userId: 'ann' });
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  lines.tell({ ...letterAt('41', record), traceId }, 'id_conflict');
  expect(written).toMatchObject([
    {
      msg: 'a record became a dead letter: id_conflict',
      cause: 'id_conflict',
      reason: 'a reason',
      topic: 'requests',
      partition: 3,
      offset: '41',
      trace_id: traceId,
      issuance_id: record.issuance_id,
      coupon_id: 7,
      user_id: 'ann',
      more: 0,
    },
  ]);
});

test('of many at once one line of each cause is written a second, and every one of them is in a line', () => {
  for (let second = 0; second < 2; second += 1) {
    for (let i = 0; i < 50; i += 1) {
      lines.tell(letterAt(`${second}-${i}`, i), 'unreadable');
      lines.tell(letterAt(`${second}-${i}`, i), 'malformed');
    }
    vi.advanceTimersByTime(lineGapMs);
  }
  for (const cause of ['unreadable', 'malformed']) {
    const ofCause = written.filter((line) => line['cause'] === cause);
    expect(ofCause.map(({ offset, more }) => [offset, more])).toEqual([
      ['0-0', 0],
      ['0-49', 48],
      ['1-49', 49],
    ]);
  }
});

test('an issuer that ends tells what it held back', () => {
  lines.tell(letterAt('1', {}), 'unreadable');
  lines.tell(letterAt('2', {}), 'unreadable');
  lines.onApplicationShutdown();
  expect(written.map(({ offset }) => offset)).toEqual(['1', '2']);
});
