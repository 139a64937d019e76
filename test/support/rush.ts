import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer, Stack } from './stack.ts';

const retryAfterMs = 50;

/**
 * Clients that go on asking for a coupon, each time for somebody new, and ask again for the same user
 * where an answer says so (503) or none came. What they were told is kept, as a journal for `verify`.
 */
export class Rush {
  readonly answers: Answer[] = [];
  private readonly stopping = new AbortController();
  private readonly running: Promise<unknown>;
  private users = 0;

  constructor(
    private readonly stack: Stack,
    private readonly couponId: number,
    options: { clients: number; pauseMs?: number },
  ) {
    this.running = Promise.all(
      Array.from({ length: options.clients }, () => this.keepAsking(options.pauseMs ?? 0)),
    );
  }

  get accepted(): Answer[] {
    return this.answers.filter(({ status }) => status === 200);
  }

  /** Every user that was asked for has a final answer when it resolves. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  writeJournal(file: string): void {
    for (const { status, body } of this.answers) {
      appendFileSync(file, `${JSON.stringify({ http_status: status, ...body })}\n`);
    }
  }

  private async keepAsking(pauseMs: number): Promise<void> {
    while (!this.stopping.signal.aborted) {
      this.users += 1;
      await this.askFor(`user-${this.users}`);
      await delay(pauseMs);
    }
  }

  private async askFor(user: string): Promise<void> {
    for (;;) {
      const answer = await this.stack.assign(this.couponId, user).catch(() => undefined);
      if (answer !== undefined) {
        this.answers.push(answer);
      }
      if (answer !== undefined && answer.status !== 503) {
        return;
      }
      await delay(retryAfterMs);
    }
  }
}
