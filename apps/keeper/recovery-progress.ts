import type { Counter } from '@opentelemetry/api';
import type { Logger } from '#platform/logging.ts';
import type { Telemetry } from '#platform/telemetry.ts';

const sayEveryMs = 2_000;

/** How far the recovery of this keeper is: a line every two seconds, and in `/metrics`. */
export class RecoveryProgress {
  private readonly openedTotal: Counter;
  private readonly stagedTotal: Counter;
  private run = { coupons: 0, opened: 0, holdersStaged: 0, startedAt: 0 };
  private speaking: NodeJS.Timeout | undefined;

  constructor(
    private readonly logger: Logger,
    { meter }: Telemetry,
  ) {
    this.openedTotal = meter.createCounter('firstcome_recovery_gates_opened_total', {
      description: 'Gates that recoveries of this keeper have opened.',
    });
    this.stagedTotal = meter.createCounter('firstcome_recovery_holders_staged_total', {
      description: 'Holders that recoveries of this keeper have put back into Redis.',
    });
    meter
      .createObservableGauge('firstcome_recovery_gates_waiting', {
        description: 'Gates the recovery under way has still to open; 0 when there is none.',
      })
      .addCallback((result) => result.observe(this.waiting));
  }

  begin(coupons: number): void {
    this.run = { coupons, opened: 0, holdersStaged: 0, startedAt: performance.now() };
    this.logger.warn({ coupons }, 'recovery begins');
    this.speaking = setInterval(() => this.say('recovery under way'), sayEveryMs);
  }

  staged(holders: number): void {
    this.run.holdersStaged += holders;
    this.stagedTotal.add(holders);
  }

  opened(): void {
    this.run.opened += 1;
    this.openedTotal.add(1);
  }

  /** `failure`: the gates that are still shut are recovered again, in the next epoch. */
  end(failure?: Error): void {
    clearInterval(this.speaking);
    this.speaking = undefined;
    this.say(failure === undefined ? 'recovery done' : `recovery ended: ${failure.message}`);
  }

  private get waiting(): number {
    return this.speaking === undefined ? 0 : this.run.coupons - this.run.opened;
  }

  private say(what: string): void {
    const { coupons, opened, holdersStaged, startedAt } = this.run;
    const seconds = Math.round(performance.now() - startedAt) / 1_000;
    this.logger.warn({ coupons, opened, holders_staged: holdersStaged, seconds }, what);
  }
}
