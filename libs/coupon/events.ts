import { z } from 'zod';
import type { DeadLetterCause } from './dead-letter.ts';
import type { Decision } from './decide.ts';
import { couponIdSchema, issuanceIdSchema, refusalReasons, userIdSchema } from './issuance.ts';
import { decidedStatuses } from './issuance-states.ts';
import type { IssuanceRequest } from './issuance-request.ts';

/* What stands in the log, and how it is written and read: only here does it have wire names. */

/** The version of every event this code writes, and the only one it reads. */
export const eventVersion = 1;

const epochSchema = z.int().min(1);

/** A request on its way to MySQL, keyed by its coupon id. */
export const issuanceRequestedSchema = z.object({
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

/** Says in the log where a recovery's new epochs begin. */
export const epochMarkerSchema = z.object({
  v: z.literal(eventVersion),
  type: z.literal('epoch.marker'),
  epochs: z.array(z.object({ coupon_id: couponIdSchema, epoch: epochSchema })).min(1),
});

type IssuanceRequested = z.output<typeof issuanceRequestedSchema>;

type EpochMarked = z.output<typeof epochMarkerSchema>;

/**
 * What the issuer decided about requests of one coupon that it decided together, in their order;
 * published after the commit, at least once. A record for each of them was a third of the issuer's
 * work.
 */
export const issuancesDecidedSchema = z.object({
  v: z.literal(eventVersion),
  type: z.literal('issuances.decided'),
  coupon_id: couponIdSchema,
  decisions: z.array(
    z.object({
      issuance_id: issuanceIdSchema,
      user_id: userIdSchema,
      status: z.enum(decidedStatuses),
      reason: z.enum(refusalReasons).optional(),
      /** Milliseconds since 1970. */
      decided_at: z.int().min(0),
    }),
  ),
});

type IssuancesDecided = z.output<typeof issuancesDecidedSchema>;

/** Requests of these coupons that follow the marker and are of an older epoch are void. */
export interface EpochMarker {
  epochs: { couponId: number; epoch: number }[];
}

export function toIssuanceRequested(request: IssuanceRequest): IssuanceRequested {
  return {
    v: eventVersion,
    type: 'issuance.requested',
    issuance_id: request.issuanceId,
    coupon_id: request.couponId,
    user_id: request.userId,
    epoch: request.epoch,
    reserved_at: request.reservedAt,
    traceparent: request.traceparent,
  };
}

export function toEpochMarked({ epochs }: EpochMarker): EpochMarked {
  return {
    v: eventVersion,
    type: 'epoch.marker',
    epochs: epochs.map(({ couponId, epoch }) => ({ coupon_id: couponId, epoch })),
  };
}

/** `decisions` are about requests of this one coupon. */
export function toIssuancesDecided(couponId: number, decisions: Decision[]): IssuancesDecided {
  return {
    v: eventVersion,
    type: 'issuances.decided',
    coupon_id: couponId,
    decisions: decisions.map(({ request, status, reason, decidedAt }) => ({
      issuance_id: request.issuanceId,
      user_id: request.userId,
      status,
      reason,
      decided_at: decidedAt,
    })),
  };
}

export type RequestRecord =
  | { kind: 'request'; request: IssuanceRequest }
  | { kind: 'marker'; marker: EpochMarker }
  /** Written by a newer firstcome: to skip it would lose it, to guess would corrupt. */
  | { kind: 'unknown_version'; version: number }
  /** Not ours: no acknowledged request looks like this. */
  | { kind: 'garbage'; cause: Exclude<DeadLetterCause, 'id_conflict'>; reason: string };

const versionSchema = z.object({ v: z.int() });
const recordSchema = z.discriminatedUnion('type', [issuanceRequestedSchema, epochMarkerSchema]);

/** Reads the bytes of one record of `coupon.issuance.requested`; never throws. */
export function parseRequestRecord(value: Buffer | null): RequestRecord {
  const json = parseJson(value);
  const record = recordSchema.safeParse(json);
  if (record.success) {
    return record.data.type === 'epoch.marker'
      ? { kind: 'marker', marker: fromEpochMarked(record.data) }
      : { kind: 'request', request: fromIssuanceRequested(record.data) };
  }
  const version = versionSchema.safeParse(json);
  if (!version.success) {
    return { kind: 'garbage', cause: 'unreadable', reason: 'not a JSON object with a version' };
  }
  return version.data.v === eventVersion
    ? { kind: 'garbage', cause: 'malformed', reason: z.prettifyError(record.error) }
    : { kind: 'unknown_version', version: version.data.v };
}

function fromIssuanceRequested(event: IssuanceRequested): IssuanceRequest {
  return {
    issuanceId: event.issuance_id,
    couponId: event.coupon_id,
    userId: event.user_id,
    epoch: event.epoch,
    reservedAt: event.reserved_at,
    traceparent: event.traceparent,
  };
}

function fromEpochMarked({ epochs }: EpochMarked): EpochMarker {
  return { epochs: epochs.map(({ coupon_id: couponId, epoch }) => ({ couponId, epoch })) };
}

function parseJson(value: Buffer | null): unknown {
  try {
    return value === null ? undefined : JSON.parse(value.toString('utf8'));
  } catch {
    return undefined;
  }
}
