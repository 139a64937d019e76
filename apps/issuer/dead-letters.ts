import { Injectable } from '@nestjs/common';
import type { DeadLetterCause } from '#coupon/dead-letter.ts';
import { toDeadLetter } from '#event-log/consume/dead-letter.ts';
import type { ConsumedRecord, TopicPartition } from '#event-log/consumed-record.ts';
import { IssuanceLog } from '#event-log/publish/issuance-log.ts';
import { DeadLetterLedger } from '#ledger/dead-letters/dead-letter-ledger.ts';
import { DeadLetterLines } from './dead-letter-lines.ts';
import { IssuerMetrics } from './issuer-metrics.ts';

/** Sets records aside that are no request we can decide: what happens before their offset moves. */
@Injectable()
export class DeadLetters {
  constructor(
    private readonly ledger: DeadLetterLedger,
    private readonly log: IssuanceLog,
    private readonly metrics: IssuerMetrics,
    private readonly lines: DeadLetterLines,
  ) {}

  /** May be run any number of times for the same record; rejects when a store is away. */
  async setAside(
    place: TopicPartition,
    record: ConsumedRecord,
    { cause, reason }: { cause: DeadLetterCause; reason: string },
  ): Promise<void> {
    const letter = toDeadLetter(place, record, reason);
    // 1. Keep it. A crash after this delivers the record again: its place is kept already.
    if (await this.ledger.store(letter)) {
      this.metrics.deadLetterKept(cause);
      this.lines.tell(letter, cause);
    }
    // 2. Tell the log. A crash after it tells it twice, under the same key.
    await this.log.publishDeadLetter(letter);
  }
}
