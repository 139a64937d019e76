export interface LoadBounds {
  /** Always worked on at once, however slow the answers: a store that is slow by itself stays in use. */
  least: number;
  /** Never more at once. */
  most: number;
  /** How long requests may take on average before fewer are taken on. */
  targetMs: number;
}

/** After a rest, and when the process starts: a rush begins all at once. */
const restingLimit = 1_000;
/** One step down at most: a rush that begins, or a pause of a second, is no reason to send away. */
const shrinkMost = 0.9;
const growth = 1.1;

/**
 * How many requests are worked on at once. What they take beyond what can be done in parallel they
 * spend in queues, so the number is held where the mean stays below a target: more at once would not
 * be served faster, only later. (As TCP finds out how much a network takes.)
 */
export class LoadLimit {
  /** Requests sent away so far. */
  shed = 0;
  private inFlight = 0;
  private limit: number;
  private ended = 0;
  private endedMs = 0;
  private wasFull = false;

  constructor(private readonly bounds: LoadBounds) {
    this.limit = this.resting;
  }

  get current(): number {
    return this.limit;
  }

  /** False when there are enough: who asked is sent away. Otherwise nothing is taken yet. */
  hasRoom(): boolean {
    if (this.inFlight >= this.limit) {
      this.wasFull = true;
      this.shed += 1;
      return false;
    }
    return true;
  }

  /** False when there are enough; otherwise `end` must follow. */
  tryBegin(): boolean {
    const hasRoom = this.hasRoom();
    this.inFlight += hasRoom ? 1 : 0;
    return hasRoom;
  }

  end(tookMs: number): void {
    this.inFlight -= 1;
    this.ended += 1;
    this.endedMs += tookMs;
  }

  /** To be called some ten times a second. `delayMs`: what requests wait before the process sees them. */
  adjust(delayMs: number): void {
    const { least, most, targetMs } = this.bounds;
    const meanMs = this.ended === 0 ? 0 : this.endedMs / this.ended + delayMs;
    if (meanMs > targetMs) {
      const shrunk = this.limit * Math.max(shrinkMost, targetMs / meanMs);
      this.limit = Math.max(Math.min(least, most), Math.floor(shrunk));
    } else if (this.wasFull || this.limit < this.resting) {
      const end = this.wasFull ? most : this.resting;
      this.limit = Math.min(end, Math.ceil(this.limit * growth));
    }
    this.ended = 0;
    this.endedMs = 0;
    this.wasFull = false;
  }

  private get resting(): number {
    return Math.min(restingLimit, this.bounds.most);
  }
}
