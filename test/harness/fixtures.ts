import { randomUUID } from 'node:crypto';
import type { Coupon } from '#coupon/coupon.ts';
import type { DeadLetter } from '#coupon/dead-letter.ts';
import { toIssuanceRequested } from '#coupon/events.ts';
import type { IssuanceRequest } from '#coupon/issuance-request.ts';

/** An open coupon of ten units without limits in time; what a test is about is given. */
export function aCoupon(given: Partial<Coupon> = {}): Coupon {
  return {
    id: 1,
    name: 'test',
    total: 10,
    issued: 0,
    kafkaPartition: 0,
    version: 1,
    state: 'open',
    opensAt: null,
    closesAt: null,
    validUntil: null,
    epoch: 1,
    appliedEpoch: 1,
    archivedAt: null,
    ...given,
  };
}

/** A request for coupon 1 in epoch 1, under an id of its own; what a test is about is given. */
export function aRequest(given: Partial<IssuanceRequest> = {}): IssuanceRequest {
  return {
    issuanceId: anIssuanceId(),
    couponId: 1,
    userId: 'ann',
    epoch: 1,
    reservedAt: 1_764_000_000_000,
    ...given,
  };
}

/** The same as it stands in the log. */
export function aRequestRecord(
  given?: Partial<IssuanceRequest>,
): ReturnType<typeof toIssuanceRequested> {
  return toIssuanceRequested(aRequest(given));
}

/** Bytes found at offset 7 of partition 0; what a test is about is given. */
export function aDeadLetter(given: Partial<DeadLetter> = {}): DeadLetter {
  return {
    topic: 'test.requested',
    partition: 0,
    offset: '7',
    recordedAt: 1_764_000_000_000,
    key: Buffer.from('1'),
    value: Buffer.from('no JSON'),
    headers: [],
    traceId: null,
    reason: 'not a JSON object with a version',
    ...given,
  };
}

/** A UUIDv7 of this time, as the gate makes them. */
export function anIssuanceId(reservedAt = 1_764_000_000_000): string {
  const time = reservedAt.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice('xxxxxxxx-xxxx-4'.length)}`;
}

/** `prefix-1`, `prefix-2`, … */
export function userIds(count: number, prefix = 'user'): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}-${i + 1}`);
}
