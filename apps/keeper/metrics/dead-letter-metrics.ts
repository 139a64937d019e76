import type { DeadLetterLedger } from '#ledger/dead-letters/dead-letter-ledger.ts';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';
import { LastLook } from './last-look.ts';

const validMs = 15_000;

export class DeadLetterMetrics {
  private readonly look = new LastLook<number>(validMs);

  constructor(
    private readonly deadLetters: DeadLetterLedger,
    { observed }: Telemetry,
  ) {
    observed.gauge(
      'firstcome_dead_letters_open',
      'Dead letters that are neither redriven nor discarded.',
      (observe) => observe(this.look.value),
    );
  }

  async refresh(): Promise<void> {
    await this.look.refresh(async () => (await this.deadLetters.countOpen()).count);
  }
}
