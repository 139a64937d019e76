/** The item was not sent: nothing has happened to it, and nothing will. */
export class NotSentError extends Error {
  override readonly name = 'NotSentError';
}

interface Waiting<Item, Result> {
  item: Item;
  addedAt: number;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

interface Lane<Item, Result> {
  waiting: Waiting<Item, Result>[];
  inFlight: number;
  scheduled: boolean;
  /** Runs while items wait and every trip is out. */
  deadline: NodeJS.Timeout | undefined;
}

export interface GroupCommitLimits {
  /** Most items of one batch. */
  batchSizeMax: number;
  /**
   * So many need not wait for the others of their turn: they go at once, and are worked on while the
   * process still reads what else has come. Without it a turn is one batch.
   */
  batchSizeEnough?: number;
  /** Most batches of one key under way at once; further items wait for one to land. */
  inFlightMax: number;
  /** An item that has waited this long for a trip is rejected with `NotSentError`. */
  waitMaxMs: number;
}

/**
 * Lets callers that arrive together share one trip: what was added in one turn of the event loop, or
 * while all trips were out, goes as one batch. An idle system adds no wait; a busy one grows its
 * batches by itself. (The idea is the group commit of databases: one flush for many transactions.)
 */
export class GroupCommit<Key extends string | number, Item, Result> {
  private readonly lanes = new Map<Key, Lane<Item, Result>>();

  /** `run` answers with one result per item, in order; when it rejects, its whole batch rejects. */
  constructor(
    private readonly run: (key: Key, items: Item[]) => Promise<Result[]>,
    private readonly limits: GroupCommitLimits,
  ) {}

  add(key: Key, item: Item): Promise<Result> {
    const lane = this.lane(key);
    return new Promise((resolve, reject) => {
      lane.waiting.push({ item, addedAt: performance.now(), resolve, reject });
      this.schedule(key, lane);
    });
  }

  private lane(key: Key): Lane<Item, Result> {
    let lane = this.lanes.get(key);
    if (lane === undefined) {
      lane = { waiting: [], inFlight: 0, scheduled: false, deadline: undefined };
      this.lanes.set(key, lane);
    }
    return lane;
  }

  private schedule(key: Key, lane: Lane<Item, Result>): void {
    const { batchSizeEnough = Infinity } = this.limits;
    if (!this.canDepart(lane)) {
      this.watchDeadline(lane);
      return;
    }
    if (lane.waiting.length >= batchSizeEnough) {
      void this.depart(key, lane);
    } else if (!lane.scheduled) {
      lane.scheduled = true;
      setImmediate(() => {
        lane.scheduled = false;
        if (this.canDepart(lane)) {
          void this.depart(key, lane);
        }
      });
    }
  }

  private canDepart(lane: Lane<Item, Result>): boolean {
    return lane.waiting.length > 0 && lane.inFlight < this.limits.inFlightMax;
  }

  private async depart(key: Key, lane: Lane<Item, Result>): Promise<void> {
    const batch = lane.waiting.splice(0, this.limits.batchSizeMax);
    lane.inFlight += 1;
    this.schedule(key, lane);
    try {
      const results = await this.run(
        key,
        batch.map((waiting) => waiting.item),
      );
      batch.forEach((waiting, i) => waiting.resolve(results[i]!));
    } catch (error) {
      batch.forEach((waiting) => waiting.reject(error));
    }
    lane.inFlight -= 1;
    if (lane.inFlight === 0 && lane.waiting.length === 0) {
      clearTimeout(lane.deadline);
      this.lanes.delete(key);
    }
    this.schedule(key, lane);
  }

  /** A store that answers nobody keeps the trips out: those behind them must not wait as long. */
  private watchDeadline(lane: Lane<Item, Result>): void {
    const [oldest] = lane.waiting;
    if (oldest === undefined || lane.deadline !== undefined) {
      return;
    }
    const dueInMs = oldest.addedAt + this.limits.waitMaxMs - performance.now();
    lane.deadline = setTimeout(
      () => {
        lane.deadline = undefined;
        this.rejectOverdue(lane);
        this.watchDeadline(lane);
      },
      Math.max(1, dueInMs),
    );
  }

  private rejectOverdue(lane: Lane<Item, Result>): void {
    const overdueSince = performance.now() - this.limits.waitMaxMs;
    const firstInTime = lane.waiting.findIndex(({ addedAt }) => addedAt > overdueSince);
    const overdue = lane.waiting.splice(0, firstInTime === -1 ? Infinity : firstInTime);
    const error = new NotSentError(`no trip in ${this.limits.waitMaxMs} ms`);
    overdue.forEach((waiting) => waiting.reject(error));
  }
}
