import { randomUUID } from 'node:crypto';
import type { Coupon } from '#coupon/coupon.ts';
import { chosenIdMax, problemOfName, problemOfTimes, withClosingTime } from './coupon-terms.ts';
import type { Gate } from '#gate/gate.ts';
import { untilOpen } from '#gate/until-open.ts';
import type { CouponLedger, NewCoupon } from '#ledger/coupons/coupon-ledger.ts';
import { NoIdLeftError } from '#ledger/coupons/coupon-ledger.ts';
import { isDuplicateKey } from '#ledger/connection/driver-error.ts';
import { CouponError } from './coupon-error.ts';

/** Without a name it gets one made of its id. */
export type CouponDraft = Omit<NewCoupon, 'kafkaPartition' | 'name'> & { name?: string };

type CompleteDraft = CouponDraft & Pick<Coupon, 'validUntil'>;

const gateWaitMs = 30_000;
/** A coupon as young as this may be one that another command is opening right now. */
const creationMs = 10_000;

/** Somebody else has created a coupon of this id. */
class CouponExistsError extends CouponError {
  constructor(couponId: number | undefined) {
    super(`coupon ${couponId} exists already`);
  }
}

/** Creates coupons and opens their gates. Throws `CouponError` for what the manager can mend. */
export class CouponCreator {
  constructor(
    private readonly coupons: CouponLedger,
    private readonly gate: Gate,
  ) {}

  /** Returns once the gate is open: a request sent now is answered. */
  async create(given: CouponDraft, partitionCount: number): Promise<Coupon> {
    const draft = completed(given);
    checkDraft(draft);
    const { id, name = id === undefined ? 'coupon' : `coupon ${id}` } = draft;
    const kafkaPartition = leastUsedPartition(await this.coupons.list(), partitionCount);
    const coupon = await this.coupons
      .create({ ...draft, name, kafkaPartition })
      .catch((error: unknown) => {
        throw explainRefusal(error, id);
      });
    const isOpen =
      (await this.openFirstEpoch(coupon)) || (await untilOpen(this.gate, coupon.id, gateWaitMs));
    if (!isOpen) {
      throw new CouponError(
        `coupon ${coupon.id} is created, but its gate does not open: are a keeper and an issuer running?`,
      );
    }
    return coupon;
  }

  /**
   * The same where there is none of this id, also when several ask for it at once. One that is there is
   * returned as it is, whatever became of it since, if it was created with these terms or has them now.
   */
  async createIfAbsent(
    draft: CouponDraft & { id: number },
    partitionCount: number,
  ): Promise<Coupon> {
    if ((await this.coupons.find(draft.id)) === null) {
      try {
        return await this.create(draft, partitionCount);
      } catch (error) {
        if (!(error instanceof CouponExistsError)) throw error;
      }
    }
    return this.existing({ ...completed(draft), id: draft.id });
  }

  private async existing(draft: CompleteDraft & { id: number }): Promise<Coupon> {
    const coupon = (await this.coupons.find(draft.id))!;
    const creation = await this.coupons.findCreation(draft.id);
    const difference = differenceOf(draft, coupon, creation);
    if (difference !== undefined) {
      throw new CouponError(
        `coupon ${draft.id} exists already, and with other terms: ${difference}`,
      );
    }
    const youngMs = (creation?.createdAt ?? 0) + creationMs - Date.now();
    if (youngMs > 0) {
      await untilOpen(this.gate, coupon.id, Math.min(youngMs, creationMs));
    }
    return coupon;
  }

  /**
   * No request of a new coupon can be in the log, so its first epoch needs no marker. Unless a gate
   * of this id stands in Redis already, left by a database that is gone: then it is fenced off, for
   * the keeper to recover. A keeper that wants to recover the new coupon, because its gate is long in
   * coming, waits until it is opened here, or is waited for. False when the gate is not open yet.
   */
  private openFirstEpoch(coupon: Coupon): Promise<boolean> {
    return this.coupons.beforeRecovery(coupon, async () => {
      const { epoch, minEpoch } = await this.gate.inspect(coupon.id);
      if (Math.max(epoch, minEpoch) >= coupon.epoch) {
        await this.gate.fence(coupon.id, Math.max(epoch, minEpoch) + 1);
        return false;
      }
      const token = randomUUID();
      await this.gate.fence(coupon.id, coupon.epoch);
      const runId = await this.gate.claim(coupon.id, coupon.epoch, token);
      return runId !== undefined && this.gate.open(coupon, token, runId, 0);
    });
  }
}

type Terms = Pick<Coupon, 'total' | 'opensAt' | 'closesAt' | 'validUntil'> & {
  name: string | null;
};

function completed(draft: CouponDraft): CompleteDraft {
  return withClosingTime({ ...draft, validUntil: draft.validUntil ?? null });
}

function checkDraft({ name, opensAt, closesAt, validUntil }: CompleteDraft): void {
  const problem =
    (name === undefined ? undefined : problemOfName(name)) ??
    problemOfTimes(opensAt, closesAt, validUntil);
  if (problem !== undefined) {
    throw new CouponError(problem);
  }
}

function explainRefusal(error: unknown, id: number | undefined): unknown {
  if (error instanceof NoIdLeftError) {
    const way = `choose a free one up to ${chosenIdMax}`;
    return new CouponError(`no id is left above the highest one: ${way}`);
  }
  return isDuplicateKey(error) ? new CouponExistsError(id) : error;
}

/** In words, the first of the terms asked for that a coupon neither has nor was created with. */
function differenceOf(draft: CompleteDraft, now: Terms, then: Terms | null): string | undefined {
  const { total, opensAt, closesAt, validUntil } = draft;
  const asked = { total, opensAt, closesAt, validUntil };
  const terms = draft.name === undefined ? asked : { ...asked, name: draft.name };
  // Of a creation whose name is unknown the times are unknown as well.
  const known = then?.name === null ? { ...now, total: then.total } : then;
  const field = (Object.keys(terms) as (keyof Terms)[]).find(
    (each) => terms[each as keyof typeof terms] !== now[each] && draft[each] !== known?.[each],
  );
  return field && `${words[field]} ${describe(field, now[field])}`;
}

const words: Record<keyof Terms, string> = {
  total: 'its total is',
  name: 'its name is',
  opensAt: 'it opens',
  closesAt: 'it closes',
  validUntil: 'it is valid until',
};

function describe(field: keyof Terms, value: Terms[keyof Terms]): string {
  if (field === 'total' || field === 'name') {
    return JSON.stringify(value);
  }
  const at = field === 'validUntil' ? '' : 'at ';
  return `${at}${value === null ? 'no set time' : new Date(value).toISOString()}`;
}

function leastUsedPartition(coupons: Coupon[], partitionCount: number): number {
  const uses = Array.from({ length: partitionCount }, () => 0);
  for (const { kafkaPartition } of coupons) {
    uses[kafkaPartition] = (uses[kafkaPartition] ?? 0) + 1;
  }
  const candidates = uses.slice(0, partitionCount);
  return candidates.indexOf(Math.min(...candidates));
}
