/** The keys of one coupon's gate: all in one hash slot, so that one script may touch them all. */
export interface GateKeys {
  meta: string;
  /** Hash user id → issuance id. */
  holders: string;
  /** Sorted set issuance id → when it was reserved. */
  pending: string;
  /** Hash issuance id → user id, of what is pending: what the relay needs to publish it again. */
  pendingUsers: string;
  /** Hash issuance id → traceparent, of what is pending and came with one. */
  pendingTraceparents: string;
}

export function gateKeys(prefix: string, couponId: number): GateKeys {
  const slot = `${prefix}{coupon:${couponId}}`;
  return {
    meta: `${slot}:meta`,
    holders: `${slot}:holders`,
    pending: `${slot}:pending`,
    pendingUsers: `${slot}:pending_users`,
    pendingTraceparents: `${slot}:pending_traceparents`,
  };
}

/**
 * Hash issuance id → status hint, of all issuances that were reserved in the same 256 ms: the first
 * 40 bits of their UUIDv7.
 */
export function statusHintsKey(prefix: string, issuanceId: string): string {
  return `${prefix}issuances:${issuanceId.slice(0, 'xxxxxxxx-xx'.length)}`;
}

/** What idempotency keys were used for, by a part of their digest. */
export function idempotencyKeys(prefix: string, shard: string): { young: string; old: string } {
  const slot = `${prefix}{idempotency:${shard}}`;
  return { young: `${slot}:young`, old: `${slot}:old` };
}

export function decidedWatermarkKey(prefix: string): string {
  return `${prefix}decided_watermark`;
}

/** Not a key, but named like one: rights to channels go by the same prefix. */
export function decidedChannelName(prefix: string): string {
  return `${prefix}decided`;
}

/** Matches the keys of every gate. */
export function anyGateKey(prefix: string): string {
  return `${prefix}{coupon:*}:*`;
}

/** Whose gate a key belongs to. */
export function couponIdOf(key: string): number | undefined {
  const digits = /\{coupon:(\d{1,10})\}:\w+$/.exec(key)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
