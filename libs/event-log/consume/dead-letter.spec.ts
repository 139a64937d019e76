import { describe, expect, test } from 'vitest';
import type { ConsumedRecord } from '../consumed-record.ts';
import { toDeadLetter } from './dead-letter.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const place = { topic: 'requested', partition: 3 };

function found(given: Partial<ConsumedRecord> = {}) {
  const record = { offset: '12', key: null, value: null, timestamp: 5, headers: {}, ...given };
  return toDeadLetter(place, record, 'no JSON');
}

describe('a record that becomes a dead letter', () => {
  test('keeps its place, its bytes, and the trace of its header', () => {
    const value = Buffer.from([0xff]);
    const headers = { traceparent: Buffer.from(`00-${traceId}-b7ad6b7169203331-01`) };
    expect(found({ value, headers })).toMatchObject({
      ...place,
      offset: '12',
      value,
      traceId,
      reason: 'no JSON',
    });
  });

  test('keeps every header, in words where it is UTF-8, and those without a value', () => {
    const headers = {
      plain: 'text',
      twice: [Buffer.from('one'), Buffer.from([0xff, 0x00])],
      none: undefined,
      ['__proto__']: Buffer.from('odd'),
    };
    expect(found({ headers }).headers).toEqual([
      { name: 'plain', text: 'text' },
      { name: 'twice', text: 'one' },
      { name: 'twice', hex: 'ff00' },
      { name: 'none', text: '' },
      { name: '__proto__', text: 'odd' },
    ]);
  });

  test.each([
    [-1, 0],
    [9_000_000_000_000_000_000, 8_640_000_000_000_000],
  ])('of an impossible time %d gets one that can be kept', (timestamp, kept) => {
    expect(found({ timestamp }).recordedAt).toBe(kept);
  });
});
