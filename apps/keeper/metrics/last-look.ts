/**
 * What a store said when it was asked last, for as long as that may count as now. What it did not answer,
 * or what a look that hangs has not brought, is unknown.
 */
export class LastLook<T> {
  private seen: { value: T; at: number } | undefined;

  constructor(private readonly validMs: number) {}

  /** Rejects as `look` does. */
  async refresh(look: () => Promise<T>): Promise<T> {
    try {
      const value = await look();
      this.seen = { value, at: performance.now() };
      return value;
    } catch (error) {
      this.seen = undefined;
      throw error;
    }
  }

  get value(): T | undefined {
    return this.seen !== undefined && performance.now() < this.seen.at + this.validMs
      ? this.seen.value
      : undefined;
  }
}
