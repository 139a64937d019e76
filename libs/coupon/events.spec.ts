import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aRequest, aRequestRecord } from '../../test/harness/fixtures.ts';
import type { RequestRecord } from './events.ts';
import {
  parseRequestRecord,
  toEpochMarked,
  toIssuanceRequested,
  toIssuancesDecided,
} from './events.ts';

function parse(value: unknown): RequestRecord {
  return parseRequestRecord(Buffer.from(JSON.stringify(value)));
}

const reserved = aRequest({
  couponId: 123,
  userId: 'Zoë 🎟',
  epoch: 4,
  reservedAt: 1_764_000_000_123,
});

describe('a request', () => {
  test('survives the log: what the api writes is what the issuer reads', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    for (const request of [reserved, { ...reserved, traceparent }]) {
      expect(parse(toIssuanceRequested(request))).toEqual({ kind: 'request', request });
    }
  });

  test('carries ids, epoch and the time it was reserved by the gate, not a trace it has not', () => {
    expect(toIssuanceRequested(reserved)).toEqual({
      v: 1,
      type: 'issuance.requested',
      issuance_id: reserved.issuanceId,
      coupon_id: 123,
      user_id: 'Zoë 🎟',
      epoch: 4,
      reserved_at: 1_764_000_000_123,
    });
  });

  test('may carry fields of later on, which are left out', () => {
    const request = aRequest();
    const record = { ...toIssuanceRequested(request), colour: 'red' };
    expect(parse(record)).toEqual({ kind: 'request', request });
  });

  test.each([
    ['no issuance id', { issuance_id: undefined }],
    ['an issuance id that is no UUID', { issuance_id: '42' }],
    ['a coupon id of 0', { coupon_id: 0 }],
    ['no user', { user_id: undefined }],
    ['a user id too long', { user_id: 'u'.repeat(65) }],
    ['an epoch of 0', { epoch: 0 }],
    ['an epoch that is text', { epoch: '1' }],
    ['no time', { reserved_at: undefined }],
  ])('is garbage, in words, with %s', (_name, wrong) => {
    const record = parse({ ...aRequestRecord(), ...wrong });
    expect(record.kind).toBe('garbage');
    expect(record).toHaveProperty('reason', expect.stringContaining(Object.keys(wrong)[0]!));
  });
});

describe('a marker', () => {
  const record = { v: 1, type: 'epoch.marker', epochs: [{ coupon_id: 1, epoch: 2 }] };

  test('is read as one', () => {
    const marker = { epochs: [{ couponId: 1, epoch: 2 }] };
    expect(parse(record)).toEqual({ kind: 'marker', marker });
    expect(toEpochMarked(marker)).toEqual(record);
  });

  test('that names no coupon, or an impossible epoch, is garbage', () => {
    expect(parse({ ...record, epochs: [] }).kind).toBe('garbage');
    expect(parse({ ...record, epochs: [{ coupon_id: 1, epoch: 0 }] }).kind).toBe('garbage');
  });
});

describe('bytes that are not ours', () => {
  test.each([
    ['no value', null],
    ['no bytes', Buffer.alloc(0)],
    ['no JSON', Buffer.from('{"v":1')],
    ['no UTF-8', Buffer.from([0xff, 0xfe, 0x00])],
    ['no object', Buffer.from('7')],
    ['null', Buffer.from('null')],
    ['a list', Buffer.from('[1]')],
    ['no version', Buffer.from('{"type":"issuance.requested"}')],
    ['a version that is text', Buffer.from('{"v":"1"}')],
    ['an unknown type', Buffer.from('{"v":1,"type":"issuances.decided"}')],
  ])('are garbage: %s', (_name, value) => {
    expect(parseRequestRecord(value).kind).toBe('garbage');
  });

  test('never make it throw, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.json(), (bytes, json) => {
        expect(parseRequestRecord(Buffer.from(bytes)).kind).toBe('garbage');
        expect(['garbage', 'unknown_version']).toContain(
          parseRequestRecord(Buffer.from(json)).kind,
        );
      }),
    );
  });
});

test('a record of another version is neither skipped nor guessed, however familiar it looks', () => {
  expect(parse({ ...aRequestRecord(), v: 2 })).toEqual({ kind: 'unknown_version', version: 2 });
  expect(parse({ v: 99 })).toEqual({ kind: 'unknown_version', version: 99 });
});

test('decisions are told by coupon, each with its id, user, outcome and time', () => {
  const [issued, refused] = [aRequest({ userId: 'ann' }), aRequest({ userId: 'bob' })];
  const record = toIssuancesDecided(7, [
    { request: issued, status: 'ISSUED', decidedAt: 5, isNew: true },
    { request: refused, status: 'REFUSED', reason: 'SOLD_OUT', decidedAt: 6, isNew: false },
  ]);
  expect(JSON.parse(JSON.stringify(record))).toEqual({
    v: 1,
    type: 'issuances.decided',
    coupon_id: 7,
    decisions: [
      { issuance_id: issued.issuanceId, user_id: 'ann', status: 'ISSUED', decided_at: 5 },
      {
        issuance_id: refused.issuanceId,
        user_id: 'bob',
        status: 'REFUSED',
        reason: 'SOLD_OUT',
        decided_at: 6,
      },
    ],
  });
});

test('what is garbage says why: no version to go by, or a field that is wrong', () => {
  expect(parse([])).toMatchObject({
    cause: 'unreadable',
    reason: 'not a JSON object with a version',
  });
  const record = { ...aRequestRecord(), coupon_id: 0 };
  expect(parse(record)).toMatchObject({
    cause: 'malformed',
    reason: expect.stringContaining('coupon_id') as string,
  });
});
