import type { Coupon } from '#coupon/coupon.ts';
import type { Reservation } from '#coupon/issuance-request.ts';
import type { GateState } from './latest-seen.ts';

// The only place that knows the numbers the scripts answer with.

const gateStates = ['open', 'fenced', 'absent'] as const;
const refusals = { 4: 'sold_out', 5: 'not_open', 6: 'closed', 7: 'paused' } as const;

/** Why an open gate admits somebody new no more, or not yet. */
export type GateRefusal = (typeof refusals)[keyof typeof refusals];

export type ReserveOutcome =
  | { kind: 'reserved'; issuanceId: string }
  /** The user holds this one already; while it is pending, nothing has been promised for it yet. */
  | { kind: 'replayed'; issuanceId: string; pending: boolean }
  | { kind: GateRefusal };

export type ReserveResult =
  | {
      gate: 'open';
      epoch: number;
      serial: number;
      kafkaPartition: number;
      opensAt: number | null;
      /** By the clock of the gate. */
      now: number;
      outcomes: ReserveOutcome[];
    }
  | { gate: Exclude<GateInspection['gate'], 'open'> };

/** What of a coupon stands at its gate, too. */
export type CouponTerms = Pick<
  Coupon,
  'version' | 'total' | 'state' | 'opensAt' | 'closesAt' | 'kafkaPartition'
>;

/** What is missing, or cannot be what it says, is 0. */
export interface GateInspection extends CouponTerms {
  gate: (typeof gateStates)[number];
  left: number;
  holders: number;
  epoch: number;
  minEpoch: number;
  serial: number;
  pending: number;
  oldestPendingAt: number | null;
  now: number;
}

export type ApplyOutcome =
  | { kind: 'applied'; epoch: number; serial: number }
  /** The gate is at this version or a newer one. */
  | { kind: 'stale' }
  /** The gate is being recovered, and will open with what MySQL says. */
  | { kind: 'fenced' }
  /** More are held than the new total; nothing was changed. */
  | { kind: 'below_holders'; holders: number };

export function readReserveReply(reply: unknown): ReserveResult {
  const [gateCode, epoch, serial, kafkaPartition, opensAt, now, ...rows] = reply as [
    number,
    number,
    number,
    number,
    number,
    number,
    ...(number | string)[],
  ];
  const gate = gateStates[gateCode]!;
  if (gate !== 'open') {
    return { gate };
  }
  const outcomes: ReserveOutcome[] = [];
  for (let i = 0; i < rows.length; i += 2) {
    outcomes.push(readReserveOutcome(rows[i] as number, rows[i + 1] as string));
  }
  return { gate, epoch, serial, kafkaPartition, opensAt: timeOrNull(opensAt), now, outcomes };
}

function readReserveOutcome(code: number, issuanceId: string): ReserveOutcome {
  switch (code) {
    case 1:
      return { kind: 'reserved', issuanceId };
    case 2:
      return { kind: 'replayed', issuanceId, pending: false };
    case 3:
      return { kind: 'replayed', issuanceId, pending: true };
    case 4:
    case 5:
    case 6:
    case 7:
      return { kind: refusals[code] };
    default:
      throw new Error(`reserve.lua answered an unknown code: ${code}`);
  }
}

/** `state` is missing where the gate is shut. */
export interface PendingReply {
  state: GateState | undefined;
  pending: Reservation[];
}

export function readPendingReply(couponId: number, reply: unknown): PendingReply {
  const [epoch, serial, kafkaPartition, ...rows] = reply as [
    number,
    number,
    number,
    ...(number | string)[],
  ];
  const pending: Reservation[] = [];
  for (let i = 0; i < rows.length; i += 4) {
    pending.push({
      issuanceId: rows[i] as string,
      reservedAt: rows[i + 1] as number,
      userId: rows[i + 2] as string,
      traceparent: (rows[i + 3] as string) || undefined,
      couponId,
      epoch,
      kafkaPartition,
    });
  }
  return { state: epoch === undefined ? undefined : { epoch, serial }, pending };
}

export function readConfirmReply(reply: unknown): { confirmed: boolean; state: GateState } {
  const [code, epoch, serial] = reply as [number, number, number];
  return { confirmed: code === 1, state: { epoch, serial } };
}

export function readInspectReply(reply: unknown): GateInspection {
  const [gate, left, holders, epoch, minEpoch, serial, pending, oldest, now, ...terms] =
    reply as number[];
  return {
    gate: gateStates[gate!]!,
    left: left!,
    holders: holders!,
    epoch: epoch!,
    minEpoch: minEpoch!,
    serial: serial!,
    pending: pending!,
    oldestPendingAt: timeOrNull(oldest!),
    now: now!,
    ...toTerms(terms),
  };
}

export function readApplyReply(reply: unknown): ApplyOutcome {
  const [code, epoch, serial, holders] = reply as [number, number, number, number];
  switch (code) {
    case 1:
      return { kind: 'applied', epoch, serial };
    case 2:
      return { kind: 'stale' };
    case 3:
      return { kind: 'fenced' };
    case 4:
      return { kind: 'below_holders', holders };
    default:
      throw new Error(`apply_coupon.lua answered an unknown code: ${code}`);
  }
}

export function readTerms(fields: (string | null)[]): CouponTerms | undefined {
  return fields[0] === null ? undefined : toTerms(fields as string[]);
}

function toTerms(fields: (string | number)[]): CouponTerms {
  const [version, total, state, opensAt, closesAt, kafkaPartition] = fields;
  return {
    version: Number(version),
    total: Number(total),
    state: state as Coupon['state'],
    opensAt: timeOrNull(Number(opensAt)),
    closesAt: timeOrNull(Number(closesAt)),
    kafkaPartition: Number(kafkaPartition),
  };
}

function timeOrNull(milliseconds: number): number | null {
  return milliseconds === 0 ? null : milliseconds;
}
