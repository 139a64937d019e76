import { closeSync, createReadStream, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type { Told, Wish } from './assign.ts';

/**
 * A line of the journal: what `verify --journal` reads. Times are milliseconds of `performance.now()`
 * in the process that asked, which is one for all clients of a run.
 */
export interface JournalLine {
  called_ms: number;
  /** Absent while it may still take effect. */
  returned_ms?: number;
  api?: string;
  /** 0 when no answer came; absent in the line of a change. */
  http_status?: number;
  issuance_id?: string;
  /** As the client asked, which is not always what an answer repeats. */
  coupon_id: number;
  user_id?: string;
  code?: string;
  change?: Terms;
}

interface Terms {
  total?: number;
  state?: 'open' | 'paused' | 'closed';
}

/** Everything that clients asked and were told, and that was made of their coupons, as it comes. */
export class AnswerJournal {
  private readonly descriptor: number;

  constructor(readonly file: string) {
    mkdirSync(dirname(file), { recursive: true });
    this.descriptor = openSync(file, 'w');
  }

  told({ api, status, body, couponId, userId, calledMs, returnedMs }: Told): void {
    const { issuance_id, code } = body as Partial<JournalLine>;
    this.write({
      called_ms: calledMs,
      returned_ms: returnedMs,
      api,
      http_status: status,
      ...(issuance_id === undefined ? {} : { issuance_id }),
      coupon_id: couponId,
      user_id: userId,
      ...(code === undefined ? {} : { code }),
    });
  }

  /** No answer came: unless nobody was there to ask, it may still take effect. */
  untold({ couponId, userId }: Wish, calledMs: number, error: unknown): void {
    const code = wasSent(error) ? 'NO_ANSWER' : 'NOT_SENT';
    this.write({ called_ms: calledMs, http_status: 0, coupon_id: couponId, user_id: userId, code });
  }

  /** To be written before anybody asks for the coupon, or the journal cannot tell what it had. */
  created(couponId: number, total: number): void {
    const now = performance.now();
    const change: Terms = { total, state: 'open' };
    this.write({ called_ms: now, returned_ms: now, coupon_id: couponId, change });
  }

  /** Makes a change of a coupon, and keeps when. One that fails may still be made. */
  async changing<Result>(
    couponId: number,
    change: Terms,
    make: () => Promise<Result>,
  ): Promise<Result> {
    const line = { called_ms: performance.now(), coupon_id: couponId, change };
    try {
      const result = await make();
      this.write({ ...line, returned_ms: performance.now() });
      return result;
    } catch (error) {
      this.write(line);
      throw error;
    }
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private write(line: JournalLine): void {
    writeSync(this.descriptor, `${JSON.stringify(line)}\n`);
  }
}

/** False when the connection was refused, so that no process can have read the request. */
function wasSent(error: unknown): boolean {
  const { cause } = error as { cause?: { code?: string } };
  return cause?.code !== 'ECONNREFUSED';
}

/** A journal of answers that were kept until now. */
export function writeJournal(file: string, answers: Told[]): void {
  const journal = new AnswerJournal(file);
  answers.forEach((told) => journal.told(told));
  journal.close();
}

/** Reads a journal from its beginning, a batch at a time. */
export async function* readJournal(file: string, batchSize: number): AsyncGenerator<JournalLine[]> {
  let batch: JournalLine[] = [];
  for await (const text of createInterface({ input: createReadStream(file) })) {
    batch.push(JSON.parse(text) as JournalLine);
    if (batch.length === batchSize) {
      yield batch;
      batch = [];
    }
  }
  yield batch;
}
