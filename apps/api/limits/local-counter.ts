export interface Count {
  /** Requests of the window, this one included. */
  used: number;
  /** Until the window ends. */
  endsInMs: number;
}

interface Window {
  used: number;
  endsAt: number;
}

/**
 * Counts the requests of many in windows that begin with the first request of each. Of more keys than
 * are kept the one whose window is oldest is forgotten: what it takes is bounded, however many come.
 */
export class LocalCounter {
  /** Whose window ends first comes first. */
  private readonly windows = new Map<string, Window>();

  constructor(
    private readonly windowMs: number,
    private readonly keysMax = 50_000,
  ) {}

  count(key: string, now = performance.now()): Count {
    const window = this.windowOf(key, now);
    window.used += 1;
    return { used: window.used, endsInMs: window.endsAt - now };
  }

  get size(): number {
    return this.windows.size;
  }

  private windowOf(key: string, now: number): Window {
    const known = this.windows.get(key);
    if (known !== undefined && known.endsAt > now) {
      return known;
    }
    this.windows.delete(key);
    this.forgetOldest(now);
    const begun = { used: 0, endsAt: now + this.windowMs };
    this.windows.set(key, begun);
    return begun;
  }

  /** At most two, so that nobody waits while many are forgotten. */
  private forgetOldest(now: number): void {
    for (let i = 0; i < 2; i += 1) {
      const [oldest] = this.windows;
      if (oldest === undefined) {
        return;
      }
      if (oldest[1].endsAt <= now || this.windows.size >= this.keysMax) {
        this.windows.delete(oldest[0]);
      }
    }
  }
}
