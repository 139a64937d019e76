import type { OnApplicationShutdown } from '@nestjs/common';
import type { DeadLetter, DeadLetterCause } from '#coupon/dead-letter.ts';
import { idsOf } from '#coupon/dead-letter.ts';
import { andMore, LimitedLines } from '#platform/logging/limited-lines.ts';
import type { Logger } from '#platform/logging/logging.ts';

/**
 * Tells of records that became dead letters: the first of a cause at once, then at most one line a
 * second of each, about the latest, with the number of the others.
 */
export class DeadLetterLines implements OnApplicationShutdown {
  private readonly lines = new LimitedLines();

  constructor(private readonly logger: Logger) {}

  tell(letter: DeadLetter, cause: DeadLetterCause): void {
    this.lines.add(
      cause,
      () => fieldsOf(letter, cause),
      (fields, more) => {
        this.logger.warn(
          { ...fields, more },
          `a record became a dead letter: ${cause}${andMore(more)}`,
        );
      },
    );
  }

  /** Writes what was held back. */
  onApplicationShutdown(): void {
    this.lines.close();
  }
}

function fieldsOf(letter: DeadLetter, cause: DeadLetterCause): object {
  const { topic, partition, offset, reason, traceId, value } = letter;
  const { issuanceId, couponId, userId } = idsOf(value);
  return {
    cause,
    reason,
    topic,
    partition,
    offset,
    trace_id: traceId ?? undefined,
    issuance_id: issuanceId,
    coupon_id: couponId,
    user_id: userId,
  };
}
