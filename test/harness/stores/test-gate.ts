import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Coupon } from '#coupon/coupon.ts';
import type { HeldIssuance } from '#gate/gate.ts';
import { Gate } from '#gate/gate.ts';
import { GateConnection } from '#gate/gate-connection.ts';
import type { ReserveOutcome } from '#gate/gate-replies.ts';
import type { GateKeys } from '#gate/keys.ts';
import { gateKeys } from '#gate/keys.ts';
import { aCoupon } from '../fixtures.ts';
import { testConfig, uniqueName } from '../test-config.ts';

/** A gate of its own in the gate Redis of the tests: its keys have a prefix that nobody else has. */
export class TestGate {
  readonly prefix = `${uniqueName()}:`;
  /** A worker that loses the CPU for a second has not lost the reply. */
  readonly connection: GateConnection;
  readonly gate: Gate;
  /** An ordinary client, to look and to meddle behind the back of the gate. */
  readonly raw: Redis;
  private lastCouponId = 0;

  constructor(url = testConfig().GATE_REDIS_URL) {
    const config = testConfig({ GATE_REDIS_URL: url, GATE_TIMEOUT_MS: '10000' });
    this.connection = new GateConnection(config);
    this.gate = new Gate(this.connection, this.prefix);
    this.raw = new Redis(url);
    this.raw.on('error', () => {});
  }

  async start(): Promise<void> {
    await this.connection.connected();
  }

  keys(couponId: number): GateKeys {
    return gateKeys(this.prefix, couponId);
  }

  /** A coupon that has no gate yet. */
  newCoupon(given: Partial<Coupon> = {}): Coupon {
    this.lastCouponId += 1;
    return aCoupon({ id: this.lastCouponId, ...given });
  }

  /** A coupon whose gate is open, with these holders. */
  async openCoupon(given: Partial<Coupon> = {}, holders: HeldIssuance[] = []): Promise<Coupon> {
    const coupon = this.newCoupon(given);
    if (!(await this.rebuild(coupon, holders))) {
      throw new Error(`the gate of coupon ${coupon.id} does not open`);
    }
    return coupon;
  }

  /** Steps 2, 5 and 6 of a recovery, in the epoch that the coupon has. */
  async rebuild(coupon: Coupon, holders: HeldIssuance[]): Promise<boolean> {
    const token = randomUUID();
    await this.gate.fence(coupon.id, coupon.epoch);
    const runId = await this.gate.claim(coupon.id, coupon.epoch, token);
    return (
      runId !== undefined &&
      (holders.length === 0 || (await this.gate.stage(coupon.id, token, holders))) &&
      (await this.gate.open(coupon, token, runId, holders.length))
    );
  }

  /** Step 5 of a recovery; throws when the gate is not fenced for the epoch of the coupon. */
  async claim({ id, epoch }: Coupon, token: string): Promise<string> {
    const runId = await this.gate.claim(id, epoch, token);
    if (runId === undefined) {
      throw new Error(`the gate of coupon ${id} is not to be claimed in epoch ${epoch}`);
    }
    return runId;
  }

  /** What an open gate says to these users; throws when it is not open. */
  async outcomes(couponId: number, ...userIds: string[]): Promise<ReserveOutcome[]> {
    const result = await this.gate.reserve(couponId, userIds);
    if (result.gate !== 'open') {
      throw new Error(`the gate of coupon ${couponId} is ${result.gate}`);
    }
    return result.outcomes;
  }

  /** Reserves one unit for a user who has none; returns its id. */
  async take(couponId: number, userId: string): Promise<string> {
    const [outcome] = await this.outcomes(couponId, userId);
    if (outcome?.kind !== 'reserved') {
      throw new Error(`coupon ${couponId} has nothing for ${userId}: ${outcome?.kind}`);
    }
    return outcome.issuanceId;
  }

  /** As if another Redis had taken over: the gate was opened on another run of it. */
  async breakRunId(couponId: number): Promise<void> {
    await this.raw.hset(this.keys(couponId).meta, 'run_id', 'other');
  }

  /** As if Redis had come back empty. */
  async removeKeys(): Promise<void> {
    const keys = await this.raw.keys(`${this.prefix}*`);
    if (keys.length > 0) {
      await this.raw.unlink(...keys);
    }
  }

  /** Removes its keys. */
  async close(): Promise<void> {
    await this.removeKeys();
    this.connection.close();
    this.raw.disconnect();
  }
}
