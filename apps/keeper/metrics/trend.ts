interface Sample {
  value: number;
  atMs: number;
}

/** A sale lasts a minute: so much is smooth enough, and soon enough. */
const windowMs = 5_000;
const shortestMs = 900;

/** How fast each of some numbers changes, over the last seconds. */
export class Trend<Key> {
  private readonly samples = new Map<Key, Sample[]>();

  /** What is null, or missing, is forgotten. `atMs` by the monotonic clock. */
  note(values: ReadonlyMap<Key, number | null>, atMs = performance.now()): void {
    for (const key of this.samples.keys()) {
      if ((values.get(key) ?? null) === null) {
        this.samples.delete(key);
      }
    }
    for (const [key, value] of values) {
      if (value !== null) {
        const recent = (this.samples.get(key) ?? []).filter((one) => one.atMs > atMs - windowMs);
        this.samples.set(key, [...recent, { value, atMs }]);
      }
    }
  }

  /** Positive when it grows; null when too little is known. */
  perSecond(key: Key): number | null {
    const [first, ...rest] = this.samples.get(key) ?? [];
    const last = rest.at(-1);
    return first === undefined || last === undefined || last.atMs - first.atMs < shortestMs
      ? null
      : ((last.value - first.value) * 1_000) / (last.atMs - first.atMs);
  }

  /** Until it is 0 at that rate; 0 when it is; null when it does not shrink. */
  secondsToZero(key: Key): number | null {
    const value = this.samples.get(key)?.at(-1)?.value;
    if (value === undefined || value === 0) {
      return value ?? null;
    }
    const rate = this.perSecond(key);
    return rate !== null && rate < 0 ? value / -rate : null;
  }
}
