import type { Counter } from '@opentelemetry/api';
import { messageOf } from '#platform/text/error-message.ts';
import type { Logger } from '#platform/logging/logging.ts';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';

const sayEveryMs = 2_000;
/** A failure that stays the same is not said again before. */
const repeatAfterMs = 60_000;

interface WaitedFor {
  partition: number;
  gates: number;
  seconds: number;
}

/** What is still to be done, as of now. */
interface Outstanding {
  gates: number;
  partitions: WaitedFor[];
}

/** How far the recovery of this keeper is: a line every two seconds, and in `/metrics`. */
export class RecoveryProgress {
  private readonly openedTotal: Counter;
  private readonly stagedTotal: Counter;
  private readonly failedTotal: Counter;
  private run = { opened: 0, holdersStaged: 0, startedAt: 0 };
  private speaking: NodeJS.Timeout | undefined;
  private outstanding: () => Outstanding = () => ({ gates: 0, partitions: [] });
  private readonly failures = new Map<string, { message: string; saidAt: number }>();

  constructor(
    private readonly logger: Logger,
    { meter, observed }: Telemetry,
  ) {
    this.openedTotal = meter.createCounter('firstcome_recovery_gates_opened_total', {
      description: 'Gates that recoveries of this keeper have opened.',
    });
    this.stagedTotal = meter.createCounter('firstcome_recovery_holders_staged_total', {
      description: 'Holders that recoveries of this keeper have put back into Redis.',
    });
    this.failedTotal = meter.createCounter('firstcome_recovery_failures_total', {
      description: 'Steps of recoveries that failed and are tried again.',
    });
    // From the start, for the first one to be an increase.
    [this.openedTotal, this.stagedTotal, this.failedTotal].forEach((counter) => counter.add(0));
    observed.gauge(
      'firstcome_recovery_gates_waiting',
      'Gates the recovery under way has still to open; 0 when there is none.',
      (observe) => observe(this.outstanding().gates),
    );
    observed.gauge(
      'firstcome_recovery_partition_wait_seconds',
      'How long a recovery has waited for the issuer of this partition.',
      (observe) =>
        this.outstanding().partitions.forEach(({ seconds, partition }) =>
          observe(seconds, { partition }),
        ),
    );
  }

  begin(outstanding: () => Outstanding): void {
    this.run = { opened: 0, holdersStaged: 0, startedAt: performance.now() };
    this.outstanding = outstanding;
    this.logger.warn({ gates: outstanding().gates }, 'recovery begins');
    this.speaking = setInterval(() => this.say('recovery under way'), sayEveryMs);
  }

  staged(holders: number): void {
    this.run.holdersStaged += holders;
    this.stagedTotal.add(holders);
  }

  opened(couponId: number): void {
    this.run.opened += 1;
    this.openedTotal.add(1);
    this.failures.delete(`coupon ${couponId}`);
  }

  /** Said when it begins, and once a minute while it goes on: `what` is tried again. */
  failed(what: string, error: unknown): void {
    this.failedTotal.add(1);
    const message = messageOf(error);
    const before = this.failures.get(what);
    const now = performance.now();
    if (before?.message !== message || now - before.saidAt > repeatAfterMs) {
      this.failures.set(what, { message, saidAt: now });
      this.logger.warn({ err: error }, `recovery of ${what} failed; it is tried again`);
    }
  }

  /** Where gates are still shut, they are recovered later, or by another keeper. */
  end(): void {
    clearInterval(this.speaking);
    this.speaking = undefined;
    const { gates } = this.outstanding();
    this.say(gates === 0 ? 'recovery done' : 'recovery ended before all gates were open');
    this.outstanding = () => ({ gates: 0, partitions: [] });
    this.failures.clear();
  }

  private say(what: string): void {
    const { opened, holdersStaged, startedAt } = this.run;
    const seconds = Math.round(performance.now() - startedAt) / 1_000;
    const { gates, partitions } = this.outstanding();
    this.logger.warn(
      {
        gates_waiting: gates,
        opened,
        holders_staged: holdersStaged,
        seconds,
        ...(partitions.length > 0 && { waiting_for_issuers: partitions }),
      },
      what,
    );
  }
}
