import { batchSizeMax } from '#coupon/batch-size.ts';
import type { Coupon } from '#coupon/coupon.ts';
import type { Reservation } from '#coupon/issuance-request.ts';
import type { OperationMetrics } from '#platform/telemetry/operation-metrics.ts';
import { infoField } from './checks/redis-info.ts';
import type { GateConnection } from './gate-connection.ts';
import type { ApplyOutcome, CouponTerms, GateInspection, ReserveResult } from './gate-replies.ts';
import {
  readApplyReply,
  readConfirmReply,
  readInspectReply,
  readPendingReply,
  readReserveReply,
  readTerms,
} from './gate-replies.ts';
import type { ScriptName } from './gate-scripts.ts';
import { GateScripts } from './gate-scripts.ts';
import type { GateKeys } from './keys.ts';
import { gateKeys } from './keys.ts';
import { newIdSuffixes } from './id-suffixes.ts';
import { LatestSeen } from './latest-seen.ts';
import { redisStateOf } from './redis-state.ts';

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
  private readonly latest = new LatestSeen();

  constructor(
    private readonly connection: GateConnection,
    private readonly keyPrefix: string,
    private readonly metrics?: OperationMetrics,
  ) {
    this.scripts = new GateScripts(connection.redis, metrics);
  }

  /**
   * Tells of an epoch that a recovery has given this coupon: from here on a gate of an older one is
   * shut for this process, and shuts itself for all when it is asked for something.
   */
  learnEpoch(couponId: number, epoch: number): void {
    this.latest.learn(couponId, { epoch, serial: 0 });
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
    this.metrics?.batch('reserve', userIds.length);
    const suffixes = newIdSuffixes(userIds.length);
    const args: (number | string)[] = [userIds.length];
    userIds.forEach((userId, i) => args.push(suffixes[i]!, userId));
    traceparents.forEach((traceparent, i) => {
      if (traceparent !== undefined) {
        args.push(i + 1, traceparent);
      }
    });
    const result = readReserveReply(await this.run('reserve', couponId, args));
    if (result.gate === 'open') {
      this.latest.learn(couponId, result);
    }
    return result;
  }

  /**
   * Confirms reservations that are in the log. False when their epoch is over, or the gate does not
   * know them: they may be void, and nothing may be promised to their clients.
   */
  async confirm(couponId: number, epoch: number, reserved: HeldIssuance[]): Promise<boolean> {
    checkLength(reserved);
    this.metrics?.batch('confirm', reserved.length);
    const issuanceIds = reserved.map(({ issuanceId }) => issuanceId);
    const args = [epoch, ...issuanceIds, ...reserved.map(({ userId }) => userId)];
    const { confirmed, state } = readConfirmReply(await this.run('confirm', couponId, args));
    this.latest.learn(couponId, state);
    return confirmed;
  }

  /** Gives the units of refused requests back; returns how many of them were still held. */
  async release(couponId: number, epoch: number, refused: HeldIssuance[]): Promise<number> {
    checkLength(refused);
    const args = [epoch, ...refused.flatMap(({ issuanceId, userId }) => [issuanceId, userId])];
    return (await this.run('release', couponId, args)) as number;
  }

  /** Reservations unconfirmed for at least `ageMs`, oldest first; none while the gate is shut. */
  async listPending(couponId: number, ageMs: number, rowsMax: number): Promise<Reservation[]> {
    const reply = await this.run('list_pending', couponId, [ageMs, rowsMax]);
    const { state, pending } = readPendingReply(couponId, reply);
    if (state !== undefined) {
      this.latest.learn(couponId, state);
    }
    return pending;
  }

  async inspect(couponId: number): Promise<GateInspection> {
    const inspection = readInspectReply(await this.run('inspect', couponId));
    if (inspection.gate === 'open') {
      this.latest.learn(couponId, inspection);
    }
    return inspection;
  }

  /** Applies a newer version of a coupon to its open gate; see `ApplyOutcome`. */
  async applyCoupon(coupon: Coupon): Promise<ApplyOutcome> {
    const args = [coupon.version, coupon.total, ...termsOf(coupon)];
    const outcome = readApplyReply(await this.run('apply_coupon', coupon.id, args));
    if (outcome.kind === 'applied') {
      this.latest.learn(coupon.id, outcome);
    }
    return outcome;
  }

  /** Recovery: nothing of an older epoch is admitted from here on. Returns the least epoch that is. */
  async fence(couponId: number, epoch: number): Promise<number> {
    return (await this.scripts.run('fence', [this.keys(couponId).meta], [epoch])) as number;
  }

  /**
   * Recovery: claims and empties the gate that was fenced for this epoch, and tells which run and
   * history of Redis the claim is good for; `undefined` when the gate is not fenced for it any more.
   */
  async claim(couponId: number, epoch: number, token: string): Promise<string | undefined> {
    const keys = this.admissionKeys(couponId);
    const history = (await this.scripts.run('claim', keys, [token, epoch])) as string | null;
    return history ?? undefined;
  }

  /** Recovery: stages a slice of the holders. False when the claim is lost. */
  async stage(couponId: number, token: string, slice: HeldIssuance[]): Promise<boolean> {
    checkLength(slice);
    const { meta, holders } = this.keys(couponId);
    const args = slice.flatMap(({ issuanceId, userId }) => [userId, issuanceId]);
    return (await this.scripts.run('stage', [meta, holders], [token, ...args])) === 1;
  }

  /**
   * Recovery: opens the gate on the holders that were staged, when they are as many as that. False when
   * they are not, another recovery has overtaken, or the coupon was changed since it was read.
   */
  async open(coupon: Coupon, token: string, history: string, staged: number): Promise<boolean> {
    const { meta, holders } = this.keys(coupon.id);
    const reply = await this.scripts.run(
      'open',
      [meta, holders],
      [
        token,
        history,
        staged,
        coupon.epoch,
        coupon.kafkaPartition,
        coupon.version,
        coupon.total,
        ...termsOf(coupon),
      ],
    );
    const isOpened = reply === 1;
    if (isOpened) {
      this.learnEpoch(coupon.id, coupon.epoch);
    }
    return isOpened;
  }

  /**
   * Removes the gate of an archived coupon, which has had no newer epoch than this. False when it is of
   * a newer one, or has not ended.
   */
  async archive(couponId: number, epoch: number): Promise<boolean> {
    return (await this.run('archive', couponId, [epoch])) === 1;
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

  /** How many bytes more Redis takes before it refuses writes; `Infinity` where it has no limit. */
  async room(): Promise<number> {
    const memory = await this.connection.redis.info('memory');
    const { limitBytes, usedBytes } = redisStateOf(memory);
    return limitBytes === null ? Infinity : limitBytes - usedBytes;
  }

  /** The clock that every time of the protocol comes from, in milliseconds since 1970. */
  async now(): Promise<number> {
    const [seconds, microseconds] = await this.connection.redis.time();
    return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
  }

  /** Which run of Redis this is, and which history of data: another one after a restart or a promotion. */
  async history(): Promise<string> {
    const { redis } = this.connection;
    const [server, replication] = await Promise.all([
      redis.info('server'),
      redis.info('replication'),
    ]);
    return [infoField(server, 'run_id'), infoField(replication, 'master_replid')].join();
  }

  /** A script of those who admit, settle or look. */
  private run(
    name: ScriptName,
    couponId: number,
    args: (number | string)[] = [],
  ): Promise<unknown> {
    const { epoch, serial } = this.latest.of(couponId);
    return this.scripts.run(name, this.admissionKeys(couponId), [epoch, serial, ...args]);
  }

  /** Why Redis takes no writes although it answers, as last seen: an open gate admits nobody then. */
  get refusal(): string | undefined {
    return this.connection.refusal;
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

function termsOf({ state, opensAt, closesAt }: Coupon): (number | string)[] {
  return [state, timeAtGate(opensAt), timeAtGate(closesAt)];
}

/** 0 is no limit there, and nothing is before 1970: any time that is long past does. */
export function timeAtGate(milliseconds: number | null): number {
  return milliseconds === null ? 0 : Math.max(1, milliseconds);
}

function checkLength(batch: unknown[]): void {
  if (batch.length > batchSizeMax) {
    throw new RangeError(`${batch.length} in a batch, at most ${batchSizeMax} may be`);
  }
}
