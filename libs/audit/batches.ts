import { namedMax } from '#ledger/audit-queries.ts';

/** Hands what is added on to `check`, as many at a time as one query may name. */
export class Batches<Item> {
  /** How many were handed on. */
  checked = 0;
  private waiting: Item[] = [];

  constructor(private readonly check: (batch: Item[]) => Promise<void>) {}

  async add(item: Item): Promise<void> {
    this.waiting.push(item);
    if (this.waiting.length === namedMax) {
      await this.end();
    }
  }

  /** Hands on the last ones. */
  async end(): Promise<void> {
    const batch = this.waiting;
    this.waiting = [];
    await this.check(batch);
    this.checked += batch.length;
  }
}
