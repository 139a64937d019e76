import { randomBytes } from 'node:crypto';
import { batchSizeMax } from '#coupon/batch-size.ts';
import type { Coupon } from '#coupon/coupon.ts';
import type { Reservation } from '#coupon/issuance-request.ts';
import type { GateConnection } from './gate-connection.ts';
import type { ApplyOutcome, CouponTerms, GateInspection, ReserveResult } from './gate-replies.ts';
import {
  readApplyReply,
  readInspectReply,
  readPendingReply,
  readReserveReply,
  readTerms,
} from './gate-replies.ts';
import { GateScripts } from './gate-scripts.ts';
import type { GateKeys } from './keys.ts';
import { gateKeys } from './keys.ts';

/** What identifies a reservation to `release`. */
export interface HeldIssuance {
  issuanceId: string;
  userId: string;
}

/**
 * The gate: who is admitted to a coupon and how many are left, in Redis, one atomic script a step.
 * Every method rejects when Redis is away or slow; what was asked may then have happened or not,
 * and every script may be run again. A list that is given has at most `batchSizeMax` items.
 */
export class Gate {
  private readonly scripts: GateScripts;

  constructor(
    private readonly connection: GateConnection,
    private readonly keyPrefix: string,
  ) {
    this.scripts = new GateScripts(connection.redis);
  }

  /**
   * Reserves one unit for each user, in order; one outcome for each. A `traceparent` of the same place
   * is kept with the unit until it is confirmed.
   */
  async reserve(
    couponId: number,
    userIds: string[],
    traceparents: (string | undefined)[] = [],
  ): Promise<ReserveResult> {
    checkLength(userIds);
    const suffixes = newIdSuffixes(userIds.length);
    const args: (number | string)[] = [userIds.length];
    userIds.forEach((userId, i) => args.push(suffixes[i]!, userId));
    traceparents.forEach((traceparent, i) => {
      if (traceparent !== undefined) {
        args.push(i + 1, traceparent);
      }
    });
    return readReserveReply(await this.scripts.run('reserve', this.admissionKeys(couponId), args));
  }

  /**
   * Confirms reservations that are in the log. False when their epoch is over: they may be void, and
   * nothing may be promised to their clients.
   */
  async confirm(couponId: number, epoch: number, issuanceIds: string[]): Promise<boolean> {
    checkLength(issuanceIds);
    const { meta, pending, pendingUsers, pendingTraceparents } = this.keys(couponId);
    const keys = [meta, pending, pendingUsers, pendingTraceparents];
    return (await this.scripts.run('confirm', keys, [epoch, ...issuanceIds])) === 1;
  }

  /** Gives refused units back, where that user still holds that id in that epoch. Returns how many. */
  async release(couponId: number, epoch: number, refused: HeldIssuance[]): Promise<number> {
    checkLength(refused);
    const args = [epoch, ...refused.flatMap(({ issuanceId, userId }) => [issuanceId, userId])];
    return (await this.scripts.run('release', this.admissionKeys(couponId), args)) as number;
  }

  /** Reservations unconfirmed for at least `ageMs`, oldest first; none while the gate is fenced. */
  async listPending(couponId: number, ageMs: number, rowsMax: number): Promise<Reservation[]> {
    const keys = this.admissionKeys(couponId);
    return readPendingReply(
      couponId,
      await this.scripts.run('list_pending', keys, [ageMs, rowsMax]),
    );
  }

  async inspect(couponId: number): Promise<GateInspection> {
    const { meta, holders, pending, pendingUsers } = this.keys(couponId);
    const keys = [meta, holders, pending, pendingUsers];
    return readInspectReply(await this.scripts.run('inspect', keys));
  }

  /** Applies a newer version of a coupon to its open gate; see `ApplyOutcome`. */
  async applyCoupon(coupon: Coupon): Promise<ApplyOutcome> {
    const { meta, holders } = this.keys(coupon.id);
    return readApplyReply(
      await this.scripts.run(
        'apply_coupon',
        [meta, holders],
        [coupon.version, coupon.total, coupon.state, coupon.opensAt ?? 0, coupon.closesAt ?? 0],
      ),
    );
  }

  /** Recovery: nothing of an older epoch is admitted from here on. Returns the least epoch that is. */
  async fence(couponId: number, epoch: number): Promise<number> {
    return (await this.scripts.run('fence', [this.keys(couponId).meta], [epoch])) as number;
  }

  /** Recovery: claims the gate for this token, and tells which run of Redis the claim is good for. */
  async claim(couponId: number, token: string): Promise<string> {
    const { meta, staging } = this.keys(couponId);
    return (await this.scripts.run('claim', [meta, staging], [token])) as string;
  }

  /** Recovery: stages a slice of the holders. False when the claim is lost. */
  async stage(couponId: number, token: string, slice: HeldIssuance[]): Promise<boolean> {
    checkLength(slice);
    const { meta, staging } = this.keys(couponId);
    const args = slice.flatMap(({ issuanceId, userId }) => [userId, issuanceId]);
    return (await this.scripts.run('stage', [meta, staging], [token, ...args])) === 1;
  }

  /** Recovery: opens the gate on what was staged. False when another recovery has overtaken. */
  async open(coupon: Coupon, token: string, runId: string): Promise<boolean> {
    const reply = await this.scripts.run(
      'open',
      [...this.admissionKeys(coupon.id), this.keys(coupon.id).staging],
      [
        token,
        runId,
        coupon.epoch,
        coupon.kafkaPartition,
        coupon.version,
        coupon.total,
        coupon.state,
        coupon.opensAt ?? 0,
        coupon.closesAt ?? 0,
      ],
    );
    return reply === 1;
  }

  /** What the gate goes by of its coupon; `undefined` when it has none. */
  async terms(couponId: number): Promise<CouponTerms | undefined> {
    const fields = ['version', 'total', 'state', 'opens_at', 'closes_at', 'kafka_partition'];
    return readTerms(await this.connection.redis.hmget(this.keys(couponId).meta, ...fields));
  }

  /** Which of these reservations are not confirmed yet. */
  async pendingAmong(couponId: number, issuanceIds: string[]): Promise<Set<string>> {
    checkLength(issuanceIds);
    const { pending } = this.keys(couponId);
    const scores = await this.connection.redis.zmscore(pending, ...issuanceIds);
    return new Set(issuanceIds.filter((_, i) => scores[i] !== null));
  }

  /** The issuance each of these users holds, in order; null for one who holds none. */
  async heldBy(couponId: number, userIds: string[]): Promise<(string | null)[]> {
    checkLength(userIds);
    return this.connection.redis.hmget(this.keys(couponId).holders, ...userIds);
  }

  /** All holders of a coupon, in slices; one that comes or goes meanwhile may be missed. */
  async *holders(couponId: number): AsyncGenerator<HeldIssuance[]> {
    const key = this.keys(couponId).holders;
    let cursor = '0';
    do {
      const [next, flat] = await this.connection.redis.hscan(key, cursor, 'COUNT', 1_000);
      cursor = next;
      const slice: HeldIssuance[] = [];
      for (let i = 0; i < flat.length; i += 2) {
        slice.push({ userId: flat[i]!, issuanceId: flat[i + 1]! });
      }
      yield slice;
    } while (cursor !== '0');
  }

  /** The clock that every time of the protocol comes from, in milliseconds since 1970. */
  async now(): Promise<number> {
    const [seconds, microseconds] = await this.connection.redis.time();
    return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
  }

  /** The keys of who was admitted, in the order of the scripts that touch them all. */
  private admissionKeys(couponId: number): string[] {
    const { meta, holders, pending, pendingUsers, pendingTraceparents } = this.keys(couponId);
    return [meta, holders, pending, pendingUsers, pendingTraceparents];
  }

  private keys(couponId: number): GateKeys {
    return gateKeys(this.keyPrefix, couponId);
  }
}

function checkLength(batch: unknown[]): void {
  if (batch.length > batchSizeMax) {
    throw new RangeError(`${batch.length} in a batch, at most ${batchSizeMax} may be`);
  }
}

/** The random 74 bits of UUIDv7s, as text after the version digit; the gate adds the time. */
function newIdSuffixes(count: number): string[] {
  const bytesEach = 10;
  const digits = randomBytes(count * bytesEach).toString('hex');
  return Array.from({ length: count }, (_, i) => {
    const own = digits.slice(2 * bytesEach * i, 2 * bytesEach * (i + 1));
    const variant = '89ab'[Number.parseInt(own[0]!, 16) % 4]!;
    return `${own.slice(1, 4)}-${variant}${own.slice(4, 7)}-${own.slice(7, 19)}`;
  });
}
