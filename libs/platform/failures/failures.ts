import type { Logger } from '../logging/logging.ts';
import type { About } from '../logging/limited-lines.ts';
import { andMore, LimitedLines } from '../logging/limited-lines.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Failure, FailureCode } from './failure.ts';
import { failureCauses } from './failure.ts';

/**
 * The one place that hears of every failure which a caller was only told in a word: it counts them by
 * code and cause, and writes at most one line a second of each.
 */
export class Failures {
  private readonly counts = new Map<string, { labels: Record<string, string>; count: number }>();
  private readonly lines = new LimitedLines();

  constructor(
    private readonly logger: Logger,
    { observed }: Telemetry,
  ) {
    observed.counter(
      'firstcome_failures_total',
      'What could not be done, by the code of the answer and its cause.',
      (observe) => {
        for (const { count, labels } of this.counts.values()) {
          observe(count, labels);
        }
      },
    );
  }

  /** `about` says which request, coupon, issuance or user it was; see `logging/ecs.ts` for names. */
  note(code: FailureCode, { cause, error }: Failure, about: About = () => ({})): void {
    const kind = `${code} ${cause}`;
    const counted = this.counts.get(kind) ?? { labels: { code, cause }, count: 0 };
    counted.count += 1;
    this.counts.set(kind, counted);
    const describe = (): object => ({
      code,
      cause,
      ...(error !== undefined && { err: error }),
      ...about(),
    });
    this.lines.add(kind, describe, (fields, more) => {
      this.logger.warn({ ...fields, more }, `${code}: ${failureCauses[cause]}${andMore(more)}`);
    });
  }

  /** Writes what was held back. */
  close(): void {
    this.lines.close();
  }
}
