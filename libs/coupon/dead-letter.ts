import { z } from 'zod';
import { couponIdSchema, issuanceIdSchema, userIdSchema } from './issuance.ts';
import type { AssignRequest } from './issuance-request.ts';
import { wellFormedTraceparent } from './trace-context.ts';

/** OPEN → REDRIVEN | DISCARDED; the last two are final. */
export type DeadLetterState = 'OPEN' | 'REDRIVEN' | 'DISCARDED';

/** Why a record is a dead letter, in a word; its reason says more. */
export type DeadLetterCause = (typeof deadLetterCauses)[number];
export const deadLetterCauses = ['unreadable', 'malformed', 'id_conflict'] as const;

export const idConflictReason = 'issuance id belongs to another request';

/** One header of a record; `hex` where its bytes are no UTF-8. */
export type RecordHeader = { name: string } & ({ text: string } | { hex: string });

/** A record of the log that is not a request we can decide, as it was found. */
export interface DeadLetter {
  topic: string;
  partition: number;
  /** A 64-bit integer in decimal. */
  offset: string;
  /** When it was written to the log, in milliseconds since 1970. */
  recordedAt: number;
  key: Buffer | null;
  value: Buffer | null;
  headers: RecordHeader[];
  traceId: string | null;
  reason: string;
}

const wantedSchema = z.object({ coupon_id: couponIdSchema, user_id: userIdSchema });

/** The user and the coupon that a record names, whatever else is wrong with it; never throws. */
export function wantedBy(value: Buffer | null): AssignRequest | undefined {
  const wanted = wantedSchema.safeParse(parseJson(value));
  return wanted.success
    ? { couponId: wanted.data.coupon_id, userId: wanted.data.user_id }
    : undefined;
}

const recordSchema = z.looseObject({});

/** What ids a record names, whatever else is wrong with it; never throws. */
export function idsOf(value: Buffer | null): {
  issuanceId: string | undefined;
  couponId: number | undefined;
  userId: string | undefined;
} {
  const { issuance_id, coupon_id, user_id } = recordSchema.safeParse(parseJson(value)).data ?? {};
  return {
    issuanceId: issuanceIdSchema.safeParse(issuance_id).data,
    couponId: couponIdSchema.safeParse(coupon_id).data,
    userId: userIdSchema.safeParse(user_id).data,
  };
}

/** The W3C trace context of a record: of its header, or of its JSON value where there is none. */
export function traceparentOf({
  headers,
  value,
}: Pick<DeadLetter, 'headers' | 'value'>): string | undefined {
  const ofHeaders = headers
    .filter((header) => header.name.toLowerCase() === 'traceparent' && 'text' in header)
    .map((header) => wellFormedTraceparent((header as { text: string }).text));
  const json = parseJson(value) as { traceparent?: unknown } | null | undefined;
  return ofHeaders.find((found) => found !== undefined) ?? wellFormedTraceparent(json?.traceparent);
}

/** `undefined` for bytes that are no UTF-8: a mended user id would be somebody else's. */
export function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function parseJson(value: Buffer | null): unknown {
  try {
    return JSON.parse((value === null ? undefined : textOf(value)) ?? '');
  } catch {
    return undefined;
  }
}
