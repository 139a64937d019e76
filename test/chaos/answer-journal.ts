import { createReadStream, createWriteStream, mkdirSync } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';

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
  readonly file: string;
  private readonly stream: WriteStream;

  constructor(file: string) {
    mkdirSync(dirname(file), { recursive: true });
    this.file = file;
    this.stream = createWriteStream(file);
  }

  write(line: JournalLine): void {
    this.stream.write(`${JSON.stringify(line)}\n`);
  }

  async close(): Promise<void> {
    this.stream.end();
    await once(this.stream, 'finish');
  }
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
