import { describe, expect, test } from 'vitest';
import { aDeadLetter } from '../../../test/harness/fixtures.ts';
import { toDeadLetterRecord } from './dead-letter-record.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';

describe('what the topic of dead letters gets', () => {
  test('is the letter with reason, trace and headers, in its value and in its headers', () => {
    const letter = aDeadLetter({
      traceId,
      headers: [
        { name: 'source', text: 'Zoë' },
        { name: 'source', hex: 'ff' },
        { name: '__proto__', text: 'odd' },
      ],
    });
    expect(toDeadLetterRecord(letter)).toEqual({
      partition: 0,
      mayGoElsewhere: true,
      key: '0/7',
      value: {
        v: 1,
        reason: letter.reason,
        trace_id: traceId,
        topic: 'test.requested',
        partition: 0,
        offset: '7',
        recorded_at: letter.recordedAt,
        key_base64: letter.key!.toString('base64'),
        value_base64: letter.value!.toString('base64'),
        headers: letter.headers,
        is_complete: true,
      },
      headers: {
        source: [Buffer.from('Zoë'), Buffer.from([0xff])],
        ['__proto__']: [Buffer.from('odd')],
        'dead-letter-reason': letter.reason,
        'dead-letter-trace-id': traceId,
      },
    });
  });

  test.each([
    ['bytes', { value: Buffer.alloc(1_048_588, 0xff) }],
    ['headers', { headers: [{ name: 'h', text: '\u0000'.repeat(1_000_000) }] }],
    ['a reason', { reason: '🎟'.repeat(1_000_000) }],
  ])('is small enough for the brokers, and says it is not all, with %s of 1 MB', (_name, large) => {
    const { value, headers, key } = toDeadLetterRecord(aDeadLetter(large));
    const size = JSON.stringify({ value, headers, key }).length;
    expect(size).toBeLessThan(500_000);
    expect(value).toMatchObject({ is_complete: false, offset: '7' });
  });
});
