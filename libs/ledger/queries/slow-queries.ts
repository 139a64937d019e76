import type { Counter } from '@opentelemetry/api';
import type { Logger } from '#platform/logging/logging.ts';
import { LimitedLines } from '#platform/logging/limited-lines.ts';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { AskedQuery } from './query-watch.ts';

/** We send some sixty different statements. What is beyond is counted as one: series are not to grow. */
const fingerprintsMax = 100;
const beyond = 'other';
const nanosecondsPerMs = 1e6;

/**
 * Counts and logs statements that take longer than the limit, those that failed, too. Neither says a value:
 * no user id and no parameter is in a fingerprint.
 */
export class SlowQueries {
  private readonly counter: Counter;
  private readonly known = new Set<string>();
  /** A slow MySQL must not fill a disk with lines that say the same. */
  private readonly lines = new LimitedLines();

  constructor(
    private readonly limitMs: number,
    private readonly logger: Logger,
    { meter }: Telemetry,
  ) {
    this.counter = meter.createCounter('firstcome_slow_queries_total', {
      description: 'Statements to MySQL that took longer than MYSQL_SLOW_QUERY_MS.',
    });
  }

  note({ sql, durationMs, error }: AskedQuery): void {
    if (durationMs < this.limitMs) {
      return;
    }
    const { name, text } = fingerprintOf(sql);
    const isKnown = this.known.has(name) || this.known.size < fingerprintsMax;
    const fingerprint = isKnown ? name : beyond;
    this.known.add(fingerprint);
    this.counter.add(1, { fingerprint });
    const duration_ns = Math.round(durationMs * nanosecondsPerMs);
    this.lines.add(
      fingerprint,
      () => ({ duration_ns, fingerprint, statement: text, failed: error !== null }),
      (about, more) => this.logger.warn({ ...about, more }, 'slow query'),
    );
  }

  /** Writes what waits to be told. */
  close(): void {
    this.lines.close();
  }
}
