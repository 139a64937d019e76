import { describe, expect, it } from 'vitest';
import { aRequestRecord } from '../../test/harness/fixtures.ts';
import type { ConsumedRecord } from '#event-log/consumed-record.ts';
import { toSteps } from './issuance-consumer.ts';

let nextOffset = 0;

function record(value: unknown): ConsumedRecord {
  nextOffset += 1;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const offset = String(nextOffset);
  return { offset, key: null, value: Buffer.from(text), timestamp: 0, headers: {} };
}

function request(): ConsumedRecord {
  const issuanceId = `01900000-0000-7000-8000-${String(nextOffset).padStart(12, '0')}`;
  return record(aRequestRecord({ issuanceId }));
}

const marker = (): ConsumedRecord =>
  record({ v: 1, type: 'epoch.marker', epochs: [{ coupon_id: 1, epoch: 2 }] });

describe('cutting the log into steps', () => {
  it('decides consecutive requests together, at most 500', () => {
    const steps = toSteps(Array.from({ length: 1_001 }, request));
    expect(steps.map((step) => step.kind === 'requests' && step.requests.length)).toEqual([
      500, 500, 1,
    ]);
  });

  it('never decides a request together with one on the other side of a marker', () => {
    const records = [request(), marker(), request()];
    const steps = toSteps(records);
    expect(steps.map(({ kind }) => kind)).toEqual(['requests', 'marker', 'requests']);
    expect(steps.map(({ lastOffset }) => lastOffset)).toEqual(records.map(({ offset }) => offset));
  });

  it('sets garbage apart, and stops at a version it does not know', () => {
    const steps = toSteps([request(), record('no JSON'), record({ v: 2 }), request()]);
    expect(steps.map(({ kind }) => kind)).toEqual([
      'requests',
      'garbage',
      'unknown_version',
      'requests',
    ]);
  });
});
