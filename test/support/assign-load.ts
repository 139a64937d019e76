import type { Stack } from './stack.ts';

/** Eight clients, each with one new user after another; 503 is asked again, as the contract says. */
export class AssignLoad {
  readonly acknowledged = new Map<string, string>();
  /** Answers that no client should get. */
  readonly others: string[] = [];
  retries = 0;
  private isStopping = false;
  private readonly clients: Promise<void>[];

  constructor(
    private readonly stack: Stack,
    private readonly couponId: number,
  ) {
    this.clients = Array.from({ length: 8 }, (_, client) => this.run(client));
  }

  /** What `verify --journal` reads. */
  toJournal(): string {
    const answers = [...this.acknowledged].map(([user_id, issuance_id]) => ({
      http_status: 200,
      issuance_id,
      coupon_id: this.couponId,
      user_id,
    }));
    return answers.map((answer) => JSON.stringify(answer)).join('\n');
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.all(this.clients);
  }

  private async run(client: number): Promise<void> {
    for (let i = 0; !this.isStopping; i += 1) {
      await this.assignUntilAnswered(`load-${client}-${i}`);
    }
  }

  private async assignUntilAnswered(userId: string): Promise<void> {
    for (;;) {
      const { status, body } = await this.stack.assign(this.couponId, userId);
      if (status === 503) {
        this.retries += 1;
        continue;
      }
      if (status === 200) {
        this.acknowledged.set(userId, body.issuance_id);
      } else {
        this.others.push(`${status} ${body.code}`);
      }
      return;
    }
  }
}
