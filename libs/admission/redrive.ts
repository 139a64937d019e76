import { traceparentOf, wantedBy } from '#coupon/dead-letter.ts';
import type { AssignRequest } from '#coupon/issuance-request.ts';
import type { DeadLetterEntry, KeptDeadLetter } from '#ledger/dead-letters/dead-letter-ledger.ts';
import { DeadLetterLedger } from '#ledger/dead-letters/dead-letter-ledger.ts';
import type { Failure } from '#platform/failures/failure.ts';
import type { AssignOutcome } from './assign-coupon.ts';
import { AssignCoupon } from './assign-coupon.ts';

export type RedriveOutcome =
  /** `replayed`: that user held this issuance before. */
  | { kind: 'redriven'; issuanceId: string; replayed: boolean; wanted: AssignRequest }
  /** What a redrive would try; nothing was changed. */
  | { kind: 'redrivable'; wanted: AssignRequest }
  /** No user and coupon can be read from it; left open. */
  | { kind: 'unreadable'; letter: DeadLetterEntry }
  /** The gate or the log did not admit it; left open. */
  | {
      kind: 'not_admitted';
      why: Exclude<AssignOutcome['kind'], 'accepted'>;
      failure?: Failure;
      wanted: AssignRequest;
    }
  | { kind: 'settled'; letter: DeadLetterEntry }
  | { kind: 'missing' };

/**
 * Admits the user a dead letter names, as if he had asked now: a new admission at the end of the log,
 * never a replay of the old record, which may stand before a marker that makes it void.
 */
export class Redrive {
  constructor(
    private readonly letters: DeadLetterLedger,
    private readonly assignCoupon: AssignCoupon,
  ) {}

  /** Says what `run` would try; changes nothing. */
  async preview(id: number): Promise<RedriveOutcome> {
    const found = await this.look(id);
    return found.kind === 'redrivable' ? { kind: 'redrivable', wanted: found.wanted } : found;
  }

  /** May be run again after any failure: a user who was admitted is given the same issuance. */
  async run(id: number): Promise<RedriveOutcome> {
    const found = await this.look(id);
    if (found.kind !== 'redrivable') {
      return found;
    }
    const { letter, wanted } = found;
    // 1. Admit. A crash from here on leaves the letter open; the relay finishes what was reserved.
    const outcome = await this.assignCoupon.assign({
      ...wanted,
      traceparent: traceparentOf(letter),
    });
    if (outcome.kind !== 'accepted') {
      const failed = 'failure' in outcome && { failure: outcome.failure };
      return { kind: 'not_admitted', why: outcome.kind, ...failed, wanted };
    }
    // 2. Settle. Until then it may be redriven again: the gate knows the user and his issuance.
    const { issuanceId, replayed } = outcome;
    return (await this.letters.settle(id, { state: 'REDRIVEN', issuanceId }))
      ? { kind: 'redriven', issuanceId, replayed, wanted }
      : this.preview(id);
  }

  private async look(
    id: number,
  ): Promise<
    | { kind: 'redrivable'; letter: KeptDeadLetter; wanted: AssignRequest }
    | Extract<RedriveOutcome, { kind: 'unreadable' | 'settled' | 'missing' }>
  > {
    const letter = await this.letters.find(id);
    if (letter === undefined) {
      return { kind: 'missing' };
    }
    if (letter.state !== 'OPEN') {
      return { kind: 'settled', letter };
    }
    const wanted = wantedBy(letter.value);
    return wanted === undefined
      ? { kind: 'unreadable', letter }
      : { kind: 'redrivable', letter, wanted };
  }
}
