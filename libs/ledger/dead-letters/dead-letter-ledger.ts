import type { FindOperator } from 'typeorm';
import { LessThanOrEqual, MoreThan } from 'typeorm';
import type { DeadLetter } from '#coupon/dead-letter.ts';
import { withinBounds } from './dead-letter-bounds.ts';
import { DeadLetterRow } from './dead-letter-row.ts';
import { isDuplicateKey } from '../connection/driver-error.ts';
import type { LedgerConnection } from '../connection/ledger-connection.ts';
import { nowInMs } from '../ledger-view.ts';

/** With all that is kept of it. */
export type KeptDeadLetter = DeadLetterRow;

/** A dead letter without its bytes and headers. */
export type DeadLetterEntry = Omit<KeptDeadLetter, 'key' | 'value' | 'headers'>;

export type Settlement =
  { state: 'REDRIVEN'; issuanceId: string } | { state: 'DISCARDED'; reason: string };

const entryColumns = {
  id: true,
  topic: true,
  partition: true,
  offset: true,
  recordedAt: true,
  foundAt: true,
  traceId: true,
  reason: true,
  state: true,
  settledAt: true,
  settledReason: true,
  issuanceId: true,
} as const satisfies Record<keyof DeadLetterEntry, true>;

/** Records of the log that are no request we can decide. Rejects while MySQL is away. */
export class DeadLetterLedger {
  constructor(private readonly connection: LedgerConnection) {}

  /** Keeps a letter. False when the one found at that place is kept already. */
  async store(letter: DeadLetter): Promise<boolean> {
    try {
      const times = { foundAt: () => nowInMs };
      await this.letters.insert({ ...withinBounds(letter), ...times, state: 'OPEN' });
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) {
        return false;
      }
      throw error;
    }
  }

  /** Oldest first, from after `afterId` on. */
  async list(options: {
    isOpen: boolean;
    afterId: number;
    rowsMax: number;
  }): Promise<DeadLetterEntry[]> {
    const letters = await this.letters.find({
      select: entryColumns,
      where: { id: MoreThan(options.afterId), ...(options.isOpen ? { state: 'OPEN' } : {}) },
      order: { id: 'ASC' },
      take: options.rowsMax,
    });
    return letters.map(({ key: _key, value: _value, headers: _headers, ...entry }) => entry);
  }

  async find(id: number): Promise<KeptDeadLetter | undefined> {
    return (await this.letters.findOneBy({ id })) ?? undefined;
  }

  /** Settles an open letter for good. False when it is settled already, or not there. */
  async settle(id: number, settlement: Settlement): Promise<boolean> {
    return (await this.settleOpen(id, settlement)) === 1;
  }

  /** Discards every letter that is open and not newer than `lastId`; returns how many that were. */
  discardOpen(lastId: number, reason: string): Promise<number> {
    return this.settleOpen(LessThanOrEqual(lastId), { state: 'DISCARDED', reason });
  }

  async countOpen(): Promise<{ count: number; lastId: number }> {
    const where = { state: 'OPEN' } as const;
    // Counted last: one that comes in between is counted, and is not taken for one that was seen.
    const lastId = (await this.letters.maximum('id', where)) ?? 0;
    return { count: await this.letters.countBy(where), lastId };
  }

  private async settleOpen(
    id: number | FindOperator<number>,
    settlement: Settlement,
  ): Promise<number> {
    const { affected } = await this.letters.update(
      { id, state: 'OPEN' },
      {
        state: settlement.state,
        settledAt: () => nowInMs,
        settledReason: settlement.state === 'DISCARDED' ? settlement.reason : null,
        issuanceId: settlement.state === 'REDRIVEN' ? settlement.issuanceId : null,
      },
    );
    return affected ?? 0;
  }

  private get letters() {
    return this.connection.dataSource.getRepository(DeadLetterRow);
  }
}
