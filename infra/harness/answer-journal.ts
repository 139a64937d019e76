import { closeSync, createReadStream, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type { Told } from './assign.ts';

/** A line of the journal: what `verify --journal` reads, and who was asked when. */
export interface JournalLine {
  at: number;
  api: string;
  http_status: number;
  issuance_id?: string;
  /** As the client asked, which is not always what an answer repeats. */
  coupon_id: number;
  user_id: string;
  code?: string;
}

/** Every answer that a client got, on disk as it comes. */
export class AnswerJournal {
  private readonly descriptor: number;

  constructor(readonly file: string) {
    mkdirSync(dirname(file), { recursive: true });
    this.descriptor = openSync(file, 'w');
  }

  write({ api, status, body, couponId, userId }: Told): void {
    const { issuance_id, code } = body as Partial<JournalLine>;
    const line: JournalLine = {
      at: Date.now(),
      api,
      http_status: status,
      ...(issuance_id === undefined ? {} : { issuance_id }),
      coupon_id: couponId,
      user_id: userId,
      ...(code === undefined ? {} : { code }),
    };
    writeSync(this.descriptor, `${JSON.stringify(line)}\n`);
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

/** A journal of answers that were kept until now. */
export function writeJournal(file: string, answers: Told[]): void {
  const journal = new AnswerJournal(file);
  answers.forEach((told) => journal.write(told));
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
