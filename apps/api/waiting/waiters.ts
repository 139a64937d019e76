import type { RecordedIssuance } from '#coupon/issuance.ts';

/** How somebody is told: by the answer to one request, or by an event of a stream. */
export type WaiterKind = 'answer' | 'events';

/** Somebody who wants to know what is decided about one issuance. To be left, however it ends. */
export class Waiter implements Disposable {
  private decided: RecordedIssuance | undefined;
  private isOver = false;
  private wake: (() => void) | undefined;

  constructor(
    readonly issuanceId: string,
    readonly kind: WaiterKind,
    private readonly forget: (waiter: Waiter) => void,
  ) {}

  /**
   * What was decided, also when that was said before; nothing after so many milliseconds, and as soon
   * as the wait is ended. Not twice at a time.
   */
  async told(ms: number): Promise<RecordedIssuance | undefined> {
    if (!this.isOver) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.wake = undefined;
    }
    return this.decided;
  }

  tell(decided: RecordedIssuance): void {
    this.decided = decided;
    this.end();
  }

  /** For good: there is nobody to be told any more, or nobody who would tell. */
  end(): void {
    this.isOver = true;
    this.wake?.();
  }

  [Symbol.dispose](): void {
    this.forget(this);
  }
}

/** All who wait at this process, by what they wait for. Never more than so many. */
export class Waiters {
  /** Who was looked for longest ago comes first. */
  private readonly byId = new Map<string, Set<Waiter>>();
  private readonly counts: Record<WaiterKind, number> = { answer: 0, events: 0 };
  private hasClosed = false;
  /** How many were not let in so far. */
  turnedAway = 0;

  constructor(private readonly most: number) {}

  /** Nothing when as many as may wait already, or the process is on its way out. */
  join(issuanceId: string, kind: WaiterKind): Waiter | undefined {
    if (this.hasClosed) {
      return undefined;
    }
    if (this.count('answer') + this.count('events') >= this.most) {
      this.turnedAway += 1;
      return undefined;
    }
    const waiter = new Waiter(issuanceId, kind, (one) => this.forget(one));
    const others = this.byId.get(issuanceId);
    if (others === undefined) {
      this.byId.set(issuanceId, new Set([waiter]));
    } else {
      others.add(waiter);
    }
    this.counts[kind] += 1;
    return waiter;
  }

  count(kind: WaiterKind): number {
    return this.counts[kind];
  }

  get isEmpty(): boolean {
    return this.byId.size === 0;
  }

  /** On its way out: nobody is told any more, and who waited was sent on. */
  get isClosed(): boolean {
    return this.hasClosed;
  }

  /** Whether anybody waits for it. */
  has(issuanceId: string): boolean {
    return this.byId.has(issuanceId);
  }

  /** What somebody waits for: at most so many, those that this was not asked of for longest. */
  nextToLookFor(most: number): string[] {
    const ids: string[] = [];
    for (const id of this.byId.keys()) {
      if (ids.length >= most) {
        break;
      }
      ids.push(id);
    }
    for (const id of ids) {
      const waiting = this.byId.get(id)!;
      this.byId.delete(id);
      this.byId.set(id, waiting);
    }
    return ids;
  }

  /** Tells all who wait for it; returns how many those are. */
  tell(decided: RecordedIssuance): number {
    const waiting = this.byId.get(decided.issuanceId);
    waiting?.forEach((waiter) => waiter.tell(decided));
    return waiting?.size ?? 0;
  }

  /** Ends every wait, undecided, and lets nobody in any more. */
  close(): void {
    this.hasClosed = true;
    [...this.byId.values()].forEach((waiting) => waiting.forEach((waiter) => waiter.end()));
  }

  private forget(waiter: Waiter): void {
    const waiting = this.byId.get(waiter.issuanceId);
    if (waiting?.delete(waiter) !== true) {
      return;
    }
    this.counts[waiter.kind] -= 1;
    if (waiting.size === 0) {
      this.byId.delete(waiter.issuanceId);
    }
  }
}
