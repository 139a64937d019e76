/** A record that was seen, by the clock of the broker, and when, by the clock of this machine. */
export interface SeenRecord {
  appendedAt: number;
  seenAt: number;
  /** Before this it was not in the log; missing where nobody looked. */
  absentAt?: number;
}

/**
 * How far the clock of the brokers is before that of this machine. They count as equal as far as records
 * allow it: none is seen before it was appended, and none was appended before somebody saw that it
 * was not there. Where one says otherwise the difference is as small as all of them allow.
 */
export class BrokerClock {
  private atLeastMs = -Infinity;
  private atMostMs = Infinity;

  note(record: SeenRecord): void {
    const atLeastMs = record.appendedAt - record.seenAt;
    const atMostMs = record.appendedAt - (record.absentAt ?? -Infinity);
    if (atLeastMs > this.atMostMs || atMostMs < this.atLeastMs) {
      // One of the clocks was set since.
      this.atLeastMs = -Infinity;
      this.atMostMs = Infinity;
    }
    this.atLeastMs = Math.max(this.atLeastMs, atLeastMs);
    this.atMostMs = Math.min(this.atMostMs, atMostMs);
  }

  get aheadMs(): number {
    return Math.min(Math.max(0, this.atLeastMs), this.atMostMs);
  }

  /** In milliseconds since 1970. */
  now(): number {
    return Date.now() + this.aheadMs;
  }
}
