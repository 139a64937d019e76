import type { Told } from '../../../infra/harness/assign.ts';
import { Crowd } from '../../../infra/harness/crowd.ts';
import type { Stack } from '../../../infra/harness/stack.ts';

const answerTimeoutMs = 15_000;

/**
 * Clients that go on asking for a coupon, each time for somebody new, and ask again for the same user
 * where an answer says so (503) or none came; in turns at every api that runs and was not told to
 * stop. What they were told is kept.
 */
export class Rush extends Crowd {
  readonly answers: Told[] = [];
  /** Those of them that were 200. */
  readonly accepted: Told[] = [];
  /** Why requests got no answer at all. */
  readonly unanswered: unknown[] = [];
  private users = 0;

  constructor(
    stack: Stack,
    private readonly couponId: number,
    { clients, pauseMs = 0 }: { clients: number; pauseMs?: number },
  ) {
    super({
      apis: () => stack.running('api').filter(({ takesRequests }) => takesRequests),
      answerTimeoutMs,
    });
    const next = (): string => `user-${(this.users += 1)}`;
    this.keepAsking(clients, () => ({ couponId, userId: next() }), pauseMs);
  }

  /** Asks until the answer is final; for somebody whom a test is about. */
  askFor(userId: string): Promise<Told | undefined> {
    return this.askUntilFinal({ couponId: this.couponId, userId });
  }

  /** Adds an answer to the others. */
  keep(told: Told): void {
    this.answers.push(told);
    if (told.status === 200) {
      this.accepted.push(told);
    }
  }

  protected override told(told: Told): void {
    this.keep(told);
  }

  protected override untold(error: unknown): void {
    this.unanswered.push(error);
  }
}
