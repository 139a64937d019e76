import { z } from 'zod';
import { couponIdMax } from './coupon.ts';
import type { decidedStatuses, IssuanceStatus } from './issuance-states.ts';

/** Why a request that is in the log was not honoured. */
export const refusalReasons = ['DUPLICATE', 'SOLD_OUT', 'VOID', 'UNKNOWN_COUPON'] as const;

export type RefusalReason = (typeof refusalReasons)[number];

/** What was decided about an issuance. */
export interface DecidedIssuance {
  issuanceId: string;
  couponId: number;
  userId: string;
  status: (typeof decidedStatuses)[number];
  /** Of one that was refused. */
  reason?: RefusalReason | undefined;
  /** Milliseconds since 1970. */
  decidedAt: number;
}

/** What MySQL has of an issuance that is decided: also what became of it since. */
export interface RecordedIssuance extends Omit<DecidedIssuance, 'status'> {
  status: Exclude<IssuanceStatus, 'ACCEPTED'>;
  /** Of one that is redeemed, in milliseconds. */
  redeemedAt?: number | undefined;
  /** What it was redeemed for, if that was said. */
  reference?: string | undefined;
  /** Of one of which there is an end, in milliseconds. */
  validUntil?: number | undefined;
}

export const userIdLengthMax = 64;

/** Control characters (C0, DEL, C1) would forge lines in logs; lone surrogates have no UTF-8. */
const controlCharacter = /\p{Cc}/u;

/** What others call something by: opaque to us, and compared byte for byte. */
const foreignNameSchema = z
  .string('must be a string')
  .refine(
    (id) =>
      id.length >= 1 && (id.length <= userIdLengthMax || characterCount(id) <= userIdLengthMax),
    `must have 1 to ${userIdLengthMax} characters`,
  )
  .refine((id) => !controlCharacter.test(id), 'must not contain control characters')
  .refine((id) => id.isWellFormed(), 'must not contain lone surrogates')
  .refine((id) => id.trim() !== '', 'must not be blank');

/** `User1` and `user1` are two users. */
export const userIdSchema = foreignNameSchema;

/** What a unit is redeemed for: an order, as its shop calls it. */
export const referenceSchema = foreignNameSchema;

export const couponIdSchema = z
  .int('must be a whole number')
  .min(1, 'must be at least 1')
  .max(couponIdMax, `must be at most ${couponIdMax}`);

export const issuanceIdSchema = z.uuid('must be a UUID').toLowerCase();

/** Characters as a user counts them in code points, not UTF-16 units. */
function characterCount(text: string): number {
  return Array.from(text).length;
}

/** The last year that has four digits, as times of the contract have them. */
const reservedAtMax = Date.UTC(9_999, 11, 31, 23, 59, 59, 999);

/**
 * When an issuance was reserved, in milliseconds: the first 48 bits of its UUIDv7 (RFC 9562), set by
 * the gate's clock. `undefined` for a UUID of another version, or of a time that no clock shows.
 */
export function reservedAtOf(issuanceId: string): number | undefined {
  if (issuanceId[14] !== '7') {
    return undefined;
  }
  const reservedAt = Number.parseInt(issuanceId.slice(0, 8) + issuanceId.slice(9, 13), 16);
  return reservedAt <= reservedAtMax ? reservedAt : undefined;
}
