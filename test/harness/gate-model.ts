import type { ReserveOutcome } from '#gate/gate-replies.ts';

/** A recovery under way: what it staged in which epoch. */
export interface ModelRecovery {
  token: string;
  epoch: number;
  runId: string;
  staged: Map<string, string>;
}

/**
 * What the gate of one coupon must look like, in plain maps; and of MySQL, what a recovery would
 * find there: everything that was confirmed, until it is refused and released.
 */
export class GateModel {
  version = 1;
  state: 'open' | 'paused' = 'open';
  epoch = 1;
  minEpoch = 1;
  /** False from a change of run, or a count that is off, until a recovery has opened the gate. */
  isTrusted = true;
  readonly holders = new Map<string, string>();
  /** Issuance id → user id. */
  readonly pending = new Map<string, string>();
  readonly ledger = new Map<string, string>();
  /** Every id that was ever given, and in which epoch. */
  readonly given: { userId: string; issuanceId: string; epoch: number }[] = [];
  claim: string | undefined;
  readonly recoveries: ModelRecovery[] = [];

  constructor(
    readonly couponId: number,
    public total: number,
  ) {}

  get isOpen(): boolean {
    return this.isTrusted && this.epoch >= this.minEpoch;
  }

  get left(): number {
    return this.total - this.holders.size;
  }

  /** What a user must be told now; `undefined` for a new id, which only the gate can make. */
  expectedOutcome(userId: string): ReserveOutcome | undefined {
    const issuanceId = this.holders.get(userId);
    if (issuanceId !== undefined) {
      return { kind: 'replayed', issuanceId, pending: this.pending.has(issuanceId) };
    }
    if (this.state === 'paused') {
      return { kind: 'paused' };
    }
    return this.left > 0 ? undefined : { kind: 'sold_out' };
  }

  noteReserved(userId: string, issuanceId: string): void {
    this.holders.set(userId, issuanceId);
    this.pending.set(issuanceId, userId);
    this.given.push({ userId, issuanceId, epoch: this.epoch });
  }

  noteConfirmed(issuanceIds: string[]): void {
    for (const issuanceId of issuanceIds) {
      const userId = this.pending.get(issuanceId);
      this.pending.delete(issuanceId);
      if (userId !== undefined) {
        this.ledger.set(userId, issuanceId);
      }
    }
  }

  noteReleased(userId: string): void {
    const issuanceId = this.holders.get(userId)!;
    this.holders.delete(userId);
    this.pending.delete(issuanceId);
    this.ledger.delete(userId);
  }

  noteOpened({ epoch, staged }: ModelRecovery): void {
    this.holders.clear();
    staged.forEach((issuanceId, userId) => this.holders.set(userId, issuanceId));
    this.pending.clear();
    this.epoch = epoch;
    this.minEpoch = epoch;
    this.isTrusted = true;
    this.claim = undefined;
  }
}
