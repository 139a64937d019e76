import { z } from 'zod';
import type { IssuanceStatus, RefusalReason } from './issuance.ts';
import { couponIdSchema, issuanceIdSchema, reservedAtOf, userIdSchema } from './issuance.ts';
import type { Reservation } from './reservation.ts';

/** The version of every event this code writes, and the only one it reads. */
export const eventVersion = 1;

const epochSchema = z.int().min(1);

const issuanceRequestedSchema = z.object({
  v: z.literal(eventVersion),
  type: z.literal('issuance.requested'),
  issuance_id: issuanceIdSchema,
  coupon_id: couponIdSchema,
  user_id: userIdSchema,
  epoch: epochSchema,
  /** Milliseconds since 1970, by the gate's clock. */
  reserved_at: z.int().min(0),
  traceparent: z.string().optional(),
});

const epochMarkerSchema = z.object({
  v: z.literal(eventVersion),
  type: z.literal('epoch.marker'),
  /** Requests of these coupons that follow the marker and are of an older epoch are void. */
  epochs: z.array(z.object({ coupon_id: couponIdSchema, epoch: epochSchema })).min(1),
});

/** A reservation on its way to MySQL, keyed by its coupon id. */
export type IssuanceRequested = z.output<typeof issuanceRequestedSchema>;

/** Says in the log where a recovery's new epoch begins. */
export type EpochMarker = z.output<typeof epochMarkerSchema>;

/**
 * What the issuer decided about requests of one coupon that it decided together, in their order;
 * published after the commit, at least once. A record for each of them was a third of the issuer's
 * work.
 */
export interface IssuancesDecided {
  v: typeof eventVersion;
  type: 'issuances.decided';
  coupon_id: number;
  decisions: {
    issuance_id: string;
    user_id: string;
    status: Exclude<IssuanceStatus, 'ACCEPTED'>;
    reason?: RefusalReason;
    /** Milliseconds since 1970. */
    decided_at: number;
  }[];
}

export function toIssuanceRequested(reservation: Reservation): IssuanceRequested {
  const { issuanceId, couponId, userId, epoch, traceparent } = reservation;
  return {
    v: eventVersion,
    type: 'issuance.requested',
    issuance_id: issuanceId,
    coupon_id: couponId,
    user_id: userId,
    epoch,
    reserved_at: reservedAtOf(issuanceId)!,
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

export type RequestRecord =
  | { kind: 'request'; request: IssuanceRequested }
  | { kind: 'marker'; marker: EpochMarker }
  /** Written by a newer firstcome: to skip it would lose it, to guess would corrupt. */
  | { kind: 'unknown_version'; version: number }
  /** Not ours: no acknowledged request looks like this. */
  | { kind: 'garbage'; cause: 'unreadable' | 'malformed'; reason: string };

const versionSchema = z.object({ v: z.int() });
const recordSchema = z.discriminatedUnion('type', [issuanceRequestedSchema, epochMarkerSchema]);

/** Reads the bytes of one record of `coupon.issuance.requested`; never throws. */
export function parseRequestRecord(value: Buffer | null): RequestRecord {
  const json = parseJson(value);
  const record = recordSchema.safeParse(json);
  if (record.success) {
    return record.data.type === 'epoch.marker'
      ? { kind: 'marker', marker: record.data }
      : { kind: 'request', request: record.data };
  }
  const version = versionSchema.safeParse(json);
  if (!version.success) {
    return { kind: 'garbage', cause: 'unreadable', reason: 'not a JSON object with a version' };
  }
  return version.data.v === eventVersion
    ? { kind: 'garbage', cause: 'malformed', reason: z.prettifyError(record.error) }
    : { kind: 'unknown_version', version: version.data.v };
}

function parseJson(value: Buffer | null): unknown {
  try {
    return value === null ? undefined : JSON.parse(value.toString('utf8'));
  } catch {
    return undefined;
  }
}
