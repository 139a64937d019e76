import { expect } from 'vitest';
import { reservedAtOf } from '#coupon/issuance.ts';
import type { Coupon, Gate, GateWorld, Meta } from '../../model/gate/gate.ts';
import { copyGate, openedGate } from '../../model/gate/gate.ts';
import type { Loss } from '../../model/gate/losses.ts';
import { fieldOf, lose } from '../../model/gate/losses.ts';
import type { TestGate } from '../stores/test-gate.ts';

/** Of a reservation, what its client and the log know. */
export interface Given {
  id: number;
  user: string;
  epoch: number;
}

/** A recovery under way: what it may open, and in which epoch. */
export interface UnderWay {
  token: number;
  epoch: number;
  /** Whom it has staged. */
  staged: Set<string>;
}

const realFields: Record<keyof Meta, string> = {
  runId: 'run_id',
  history: 'replid',
  serial: 'serial',
  epoch: 'epoch',
  minEpoch: 'min_epoch',
  version: 'version',
  total: 'total',
  left: 'left',
  pending: 'pending',
  state: 'state',
  token: 'recovery_token',
  staged: 'staged',
};

/** Of `meta`, what the model leaves out. */
const leftOut = ['kafka_partition', 'opens_at', 'closes_at'];

/**
 * The gate of one coupon in a real Redis beside that of the model. Where Redis has a UUID, a run id or
 * a token, the model has a number; this knows which.
 */
export class RealGate {
  readonly model: GateWorld;
  /** The coupon as MySQL has it. */
  terms: Coupon;
  /** Every id that was ever given. */
  readonly given: Given[] = [];
  readonly recoveries: UnderWay[] = [];
  /** What a recovery finds in MySQL: everything confirmed that is not refused; user → id. */
  readonly ledger = new Map<string, number>();
  /** Keys were touched by another hand: what a gate promises by itself is off. */
  isMeddledWith = false;
  private readonly issuanceIds: string[] = [];
  private copy: Gate | undefined;

  constructor(
    readonly here: TestGate,
    readonly couponId: number,
    /** Run and history of its Redis, as a claim tells them. */
    readonly history: string,
    total: number,
  ) {
    this.terms = { version: 1, total, state: 'open' };
    this.model = {
      mutation: null,
      redis: { runId: 1, history: 1, gates: [openedGate(this.terms)], watermark: 0 },
      seen: [{ epoch: 1, serial: 0 }],
      isInformed: true,
      next: { id: 1 },
    };
  }

  get gate(): Gate {
    return this.model.redis.gates[0]!;
  }

  /** The model gave this id a number just now. */
  name(id: number, issuanceId: string): void {
    expect(this.issuanceIds).not.toContain(issuanceId);
    expect(id).toBe(this.issuanceIds.push(issuanceId));
  }

  issuanceId(id: number): string {
    return this.issuanceIds[id - 1]!;
  }

  id(issuanceId: string): number {
    return this.issuanceIds.indexOf(issuanceId) + 1;
  }

  /** Whether a run or a history is that of the server, as the model counts them. */
  numberOf(id: string): number {
    return this.history.split(':').includes(id) ? 1 : 0;
  }

  /** As if another Redis had taken over: the gate was opened on another run of it. */
  async changeRun(): Promise<void> {
    (this.gate.meta ??= {}).runId = 0;
    await this.here.breakRunId(this.couponId);
  }

  /** As if it had been a replica for a while, and had come back with the data of its primary. */
  async changeHistory(): Promise<void> {
    (this.gate.meta ??= {}).history = 0;
    await this.here.raw.hset(this.here.keys(this.couponId).meta, 'replid', 'other');
  }

  async lose(loss: Loss): Promise<void> {
    this.isMeddledWith = true;
    lose(this.gate, loss);
    const keys = this.here.keys(this.couponId);
    const field = fieldOf(loss);
    if (field === undefined) {
      await this.here.raw.del(keys[loss as keyof typeof keys]);
      return;
    }
    await this.here.raw.hdel(keys.meta, realFields[field]);
    if (this.gate.meta === null) {
      // What the model leaves out is still there.
      await this.here.raw.del(keys.meta);
    }
  }

  async keepCopy(): Promise<void> {
    this.copy = copyGate(this.gate);
    await this.eachKey((key) => [key, `${key}:copy`]);
  }

  async putBack(): Promise<void> {
    if (this.copy !== undefined) {
      this.isMeddledWith = true;
      this.model.redis.gates[0] = copyGate(this.copy);
      await this.eachKey((key) => [`${key}:copy`, key]);
    }
  }

  private async eachKey(pairOf: (key: string) => [from: string, to: string]): Promise<void> {
    const { raw } = this.here;
    for (const key of Object.values(this.here.keys(this.couponId))) {
      const [from, to] = pairOf(key);
      await raw.del(to);
      await raw.copy(from, to);
    }
  }

  /** Key by key, what is in Redis, in the words of the model. */
  async read(): Promise<Gate> {
    const { raw } = this.here;
    const keys = this.here.keys(this.couponId);
    const [meta, holders, pending, pendingUsers] = await Promise.all([
      raw.hgetall(keys.meta),
      raw.hgetall(keys.holders),
      raw.zrange(keys.pending, 0, -1, 'WITHSCORES'),
      raw.hgetall(keys.pendingUsers),
    ]);
    const byUser = (hash: Record<string, string>) =>
      Object.entries(hash).map(([user, issuanceId]) => ({ id: this.id(issuanceId), user }));
    return {
      meta: this.readMeta(meta),
      holders: byUser(holders),
      pending: this.readPending(pending),
      pendingUsers: Object.entries(pendingUsers).map(([id, user]) => ({ id: this.id(id), user })),
    };
  }

  private readMeta(fields: Record<string, string>): Meta | null {
    const meta: Meta = {};
    const known = new Map(Object.entries(realFields).map(([field, real]) => [real, field]));
    for (const [real, value] of Object.entries(fields)) {
      if (!leftOut.includes(real)) {
        const field = known.get(real);
        expect(field, `of the field ${real}`).toBeDefined();
        Object.assign(meta, { [field!]: this.readField(field as keyof Meta, value) });
      }
    }
    return Object.keys(fields).length === 0 ? null : meta;
  }

  private readField(field: keyof Meta, value: string): string | number {
    switch (field) {
      case 'state':
        return value;
      case 'runId':
      case 'history':
        return this.numberOf(value);
      case 'token':
        return Number(value.slice('token '.length));
      default:
        return Number(value);
    }
  }

  /** Scores are times, and the time of a reservation is in its id. */
  private readPending(withScores: string[]): number[] {
    const ids: number[] = [];
    for (let i = 0; i < withScores.length; i += 2) {
      expect(Number(withScores[i + 1])).toBe(reservedAtOf(withScores[i]!));
      ids.push(this.id(withScores[i]!));
    }
    return ids;
  }
}
