import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer, Stack } from './stack.ts';

/** An answer, and the user whom it was given. */
export interface RushAnswer extends Answer {
  userId: string;
}

const retryAfterMs = 50;
/** A connection to a process that stands still would wait for ever. */
const answerTimeoutMs = 15_000;

/**
 * Clients that go on asking for a coupon, each time for somebody new, and ask again for the same user
 * where an answer says so (503) or none came; in turns at every api that runs. What they were told is
 * kept, as a journal for `verify`.
 */
export class Rush {
  readonly answers: RushAnswer[] = [];
  /** Those of them that were 200. */
  readonly accepted: RushAnswer[] = [];
  private readonly stopping = new AbortController();
  private readonly abandoning = new AbortController();
  private readonly running: Promise<unknown>;
  private users = 0;
  private requests = 0;

  constructor(
    private readonly stack: Stack,
    private readonly couponId: number,
    options: { clients: number; pauseMs?: number },
  ) {
    this.running = Promise.all(
      Array.from({ length: options.clients }, () => this.keepAsking(options.pauseMs ?? 0)),
    );
  }

  /** Every user that was asked for has a final answer when it resolves. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Ends the clients as they are, for a test that is over. */
  abandon(): void {
    this.stopping.abort();
    this.abandoning.abort();
  }

  writeJournal(file: string): void {
    const lines = this.answers.map(({ status, body }) =>
      JSON.stringify({ http_status: status, ...body }),
    );
    appendFileSync(file, lines.map((line) => `${line}\n`).join(''));
  }

  private async keepAsking(pauseMs: number): Promise<void> {
    while (!this.stopping.signal.aborted) {
      this.users += 1;
      await this.askFor(`user-${this.users}`);
      await delay(pauseMs);
    }
  }

  private async askFor(userId: string): Promise<void> {
    while (!this.abandoning.signal.aborted) {
      const answer = await this.ask(userId).catch(() => undefined);
      if (answer !== undefined) {
        this.keep({ ...answer, userId });
      }
      if (answer !== undefined && answer.status !== 503) {
        return;
      }
      await delay(retryAfterMs);
    }
  }

  /** Also for answers that a test got beside the rush. */
  keep(answer: RushAnswer): void {
    this.answers.push(answer);
    if (answer.status === 200) {
      this.accepted.push(answer);
    }
  }

  private ask(userId: string): Promise<Answer> {
    const apis = this.stack.running('api');
    this.requests += 1;
    const api = apis[this.requests % apis.length];
    return this.stack.assign(this.couponId, userId, {
      signal: AbortSignal.any([AbortSignal.timeout(answerTimeoutMs), this.abandoning.signal]),
      ...(api === undefined ? {} : { api }),
    });
  }
}
