import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aRequestRecord } from '../../test/harness/fixtures.ts';
import type { RecordHeader } from './dead-letter.ts';
import { idsOf, textOf, traceparentOf, wantedBy } from './dead-letter.ts';
import { traceIdOf } from './trace-context.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

describe('what a dead letter wants', () => {
  test.each([
    ['nothing else', {}],
    ['a request of ours', aRequestRecord()],
    ['another version, an epoch that is text, an id that is none', { v: 'x', epoch: 'y', id: 1 }],
  ])('is its user and coupon, with %s', (_name, rest) => {
    const value = bytes({ ...rest, coupon_id: 7, user_id: 'Zoë 🎟' });
    expect(wantedBy(value)).toEqual({ couponId: 7, userId: 'Zoë 🎟' });
  });

  test.each([
    ['a coupon id that is text', { coupon_id: '7', user_id: 'ann' }],
    ['a coupon id out of range', { coupon_id: 0, user_id: 'ann' }],
    ['no user', { coupon_id: 7 }],
    ['a user id of control characters', { coupon_id: 7, user_id: 'a\nb' }],
    ['a list', [{ coupon_id: 7, user_id: 'ann' }]],
    ['null', null],
  ])('is not guessed from %s', (_name, value) => {
    expect(wantedBy(bytes(value))).toBeUndefined();
  });

  test('is not read from bytes that are no UTF-8: a mended user id is another user', () => {
    const value = Buffer.from('{"coupon_id":7,"user_id":"u?"}');
    expect(wantedBy(value)?.userId).toBe('u?');
    value[value.indexOf('?')] = 0xff;
    expect(wantedBy(value)).toBeUndefined();
  });

  test('never makes it throw, whatever the bytes', () => {
    expect(wantedBy(null)).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array(), fc.json(), (garbage, json) => {
        const headers: RecordHeader[] = [];
        for (const value of [Buffer.from(garbage), Buffer.from(json)]) {
          expect(wantedBy(value)).toBeUndefined();
          expect(traceparentOf({ headers, value })).toBeUndefined();
        }
      }),
    );
  });
});

describe('the ids that a dead letter names', () => {
  const record = aRequestRecord({ couponId: 7, userId: 'ann' });
  const issuanceId = record.issuance_id;

  test.each<[unknown, ReturnType<typeof idsOf>]>([
    [record, { issuanceId, couponId: 7, userId: 'ann' }],
    [{ user_id: 'ann' }, { issuanceId: undefined, couponId: undefined, userId: 'ann' }],
    [
      { issuance_id: issuanceId, coupon_id: '7', user_id: 1 },
      { issuanceId, couponId: undefined, userId: undefined },
    ],
    [[1], { issuanceId: undefined, couponId: undefined, userId: undefined }],
    [null, { issuanceId: undefined, couponId: undefined, userId: undefined }],
  ])('of %j are %j', (value, ids) => {
    expect(idsOf(bytes(value))).toEqual(ids);
  });

  test('are none where there is nothing to read', () => {
    const none = { issuanceId: undefined, couponId: undefined, userId: undefined };
    expect(idsOf(null)).toEqual(none);
    expect(idsOf(Buffer.from([0xff, 0x00]))).toEqual(none);
  });
});

describe('the trace of a dead letter', () => {
  const header = (text: string): RecordHeader => ({ name: 'traceparent', text });

  test('is that of its header, before that of its value', () => {
    const other = traceparent.replace('0af', '0bf');
    const value = bytes({ traceparent: other });
    expect(traceparentOf({ headers: [header(traceparent)], value })).toBe(traceparent);
    expect(traceparentOf({ headers: [], value })).toBe(other);
    expect(traceparentOf({ headers: [header('nonsense')], value })).toBe(other);
    expect(traceIdOf(traceparent)).toBe(traceId);
  });

  test.each([
    ['nonsense', 'nonsense'],
    ['a trace id of zeros', traceparent.replace(traceId, '0'.repeat(32))],
    ['a parent id of zeros', traceparent.replace('b7ad6b7169203331', '0'.repeat(16))],
    ['version ff', traceparent.replace('00-', 'ff-')],
    ['capitals', traceparent.toUpperCase()],
  ])('is not taken from %s', (_name, text) => {
    expect(traceparentOf({ headers: [header(text)], value: null })).toBeUndefined();
  });

  test('is that of the first header of this name that is well-formed, and of no other name', () => {
    const headers = [{ name: 'other', text: traceparent.replace('0af', '0cf') }, header('none')];
    expect(traceparentOf({ headers, value: null })).toBeUndefined();
    const both = [...headers, header(traceparent)];
    expect(traceparentOf({ headers: both, value: null })).toBe(traceparent);
  });

  test('is not taken from bytes', () => {
    const headers: RecordHeader[] = [{ name: 'traceparent', hex: 'ff' }];
    expect(traceparentOf({ headers, value: null })).toBeUndefined();
  });
});

test('text is what the bytes say, with the mark at its beginning that others leave out', () => {
  expect(textOf(Buffer.from('\ufeffann'))).toBe('\ufeffann');
  expect(textOf(Buffer.from([0xff]))).toBeUndefined();
});
