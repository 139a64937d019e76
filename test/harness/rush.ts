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
 * where an answer says so (503) or none came; in turns at every api that runs and was not told to
 * stop. What they were told is kept, as a journal for `verify`.
 */
export class Rush {
  readonly answers: RushAnswer[] = [];
  /** Those of them that were 200. */
  readonly accepted: RushAnswer[] = [];
  /** Why requests got no answer at all. */
  readonly unanswered: unknown[] = [];
  private readonly stopping = new AbortController();
  private readonly abandoning = new AbortController();
  private readonly running: Promise<unknown>;
  private readonly asking = new Set<Promise<unknown>>();
  private pausing: PromiseWithResolvers<void> | undefined;
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
    this.resume();
    await this.running;
  }

  /** As `stop`, until `resume`. */
  async pause(): Promise<void> {
    this.pausing ??= Promise.withResolvers();
    await Promise.all(this.asking);
  }

  resume(): void {
    this.pausing?.resolve();
    this.pausing = undefined;
  }

  /** Ends the clients as they are, for a test that is over. */
  abandon(): void {
    this.stopping.abort();
    this.abandoning.abort();
    this.resume();
  }

  writeJournal(file: string): void {
    const lines = this.answers.map(({ status, body }) =>
      JSON.stringify({ http_status: status, ...body }),
    );
    appendFileSync(file, lines.map((line) => `${line}\n`).join(''));
  }

  /** Adds an answer to the journal. */
  keep(answer: RushAnswer): void {
    this.answers.push(answer);
    if (answer.status === 200) {
      this.accepted.push(answer);
    }
  }

  /** Asks until the answer is final; for somebody whom a test is about. */
  async askFor(userId: string): Promise<RushAnswer | undefined> {
    while (!this.abandoning.signal.aborted) {
      const answer = await this.ask(userId).catch((error: unknown) => this.noteUnanswered(error));
      if (answer !== undefined) {
        this.keep({ ...answer, userId });
      }
      if (answer !== undefined && answer.status !== 503) {
        return { ...answer, userId };
      }
      await delay(retryAfterMs);
    }
    return undefined;
  }

  private async keepAsking(pauseMs: number): Promise<void> {
    for (;;) {
      await this.pausing?.promise;
      if (this.stopping.signal.aborted) {
        return;
      }
      this.users += 1;
      const asking = this.askFor(`user-${this.users}`);
      this.asking.add(asking);
      await asking;
      this.asking.delete(asking);
      await delay(pauseMs);
    }
  }

  private noteUnanswered(error: unknown): undefined {
    if (!this.abandoning.signal.aborted) {
      this.unanswered.push(error);
    }
  }

  private ask(userId: string): Promise<Answer> {
    const apis = this.stack.running('api').filter((api) => api.takesRequests);
    this.requests += 1;
    const api = apis[this.requests % apis.length];
    return this.stack.assign(this.couponId, userId, {
      signal: AbortSignal.any([AbortSignal.timeout(answerTimeoutMs), this.abandoning.signal]),
      ...(api === undefined ? {} : { api }),
    });
  }
}
