import { reservedAtOf } from '#coupon/issuance.ts';

/** When to ask again, and when it will be decided as things are. */
export interface Forecast {
  /** Milliseconds from now; `null` when nobody can tell. */
  estimatedWaitMs: number | null;
  /** Milliseconds from now, never twice the same: those who come together are not to come back together. */
  pollAfterMs: number;
}

/** When to ask again, as `Retry-After` says it. */
export function inWholeSeconds({ pollAfterMs }: Forecast): string {
  return String(Math.max(1, Math.ceil(pollAfterMs / 1_000)));
}

interface Sample {
  heardAt: number;
  /** From the reservation until it was heard that it is decided. */
  delayMs: number;
}

interface Drain {
  usualDelayMs: number;
  /** Hardly one takes longer. */
  longestDelayMs: number;
  /** Milliseconds of reservations that are decided in one millisecond. */
  speed: number;
}

/** What was decided longer ago says nothing about how the queue moves. */
const windowMs = 3_000;
/** Where nothing is heard for so long, the queue is empty, or stands still. */
const silenceMs = 1_000;
/** A queue that was long a second ago may be empty. */
const freshMs = 500;
const samplesMax = 512;
const samplesOfMessage = 16;
/** Decisions less apart than that say nothing about how the queue moves. */
const trendMs = 250;
/** Every assign asks. */
const drainKeptMs = 100;
const slowest = 0.02;
const fastest = 4;
/** Whoever should have been decided so long ago is waiting for something else than his turn. */
const overdueMs = 250;

/** In a rush that has just begun nothing is known yet, and all who come would ask at once. */
const spreadLeastMs = 1_000;
const unknownLeastMs = 200;
const pollMostMs = 15_000;

/**
 * How fast the queue moves, by what is heard of decisions: an id has the time of its reservation in it,
 * so each tells how long its way was. The gate's clock and ours need not agree: both ends are read with
 * the same difference. Requests are decided about in the order of their reservation, so who came later
 * by a second is decided about a second later, or more where the queue grows: `speed` is below 1 then.
 */
export class Pace {
  private readonly samples: Sample[] = [];
  private lastDrain: Drain | undefined;
  private drainKnownUntil = -Infinity;

  constructor(
    private readonly now: () => number = Date.now,
    private readonly random: () => number = Math.random,
  ) {}

  /** These were just said to be decided. */
  heard(issuanceIds: readonly string[]): void {
    const heardAt = this.now();
    const step = Math.ceil(issuanceIds.length / samplesOfMessage);
    for (let i = 0; i < issuanceIds.length; i += step) {
      const reservedAt = reservedAtOf(issuanceIds[i]!);
      if (reservedAt !== undefined) {
        this.samples.push({ heardAt, delayMs: heardAt - reservedAt });
      }
    }
    this.samples.splice(0, Math.max(0, this.samples.length - samplesMax));
  }

  /** Of an issuance that is not decided yet. */
  forecast(issuanceId: string): Forecast {
    const now = this.now();
    const ageMs = now - (reservedAtOf(issuanceId) ?? now);
    const drain = this.drain(now);
    if (drain === undefined || ageMs > drain.longestDelayMs + overdueMs) {
      // Asks ever more rarely: it may be a moment, or until somebody mends something.
      return this.answer(null, Math.max(unknownLeastMs, ageMs / 2));
    }
    const left = (delayMs: number): number => Math.max(0, (delayMs - ageMs) / drain.speed);
    return this.answer(left(drain.usualDelayMs), left(drain.longestDelayMs));
  }

  private answer(estimatedWaitMs: number | null, surelyAfterMs: number): Forecast {
    const afterMs = Math.min(surelyAfterMs, pollMostMs);
    const spread = Math.max(spreadLeastMs, afterMs / 2) * this.random();
    return {
      estimatedWaitMs: estimatedWaitMs === null ? null : Math.round(estimatedWaitMs),
      pollAfterMs: Math.round(afterMs + spread),
    };
  }

  private drain(now: number): Drain | undefined {
    if (now < this.drainKnownUntil && now >= this.drainKnownUntil - drainKeptMs) {
      return this.lastDrain;
    }
    this.lastDrain = this.measure(now);
    this.drainKnownUntil = now + drainKeptMs;
    return this.lastDrain;
  }

  private measure(now: number): Drain | undefined {
    const recent = this.samples.filter(({ heardAt }) => heardAt >= now - windowMs);
    const lastAt = recent.at(-1)?.heardAt ?? -Infinity;
    if (lastAt < now - silenceMs) {
      return undefined;
    }
    // Halves of the time, not of what was heard: after a moment of silence much is heard at once.
    const middleAt = (recent[0]!.heardAt + lastAt) / 2;
    const [earlier, later] = [
      recent.filter(({ heardAt }) => heardAt < middleAt),
      recent.filter(({ heardAt }) => heardAt >= middleAt),
    ];
    const delays = recent
      .filter(({ heardAt }) => heardAt >= lastAt - freshMs)
      .map(({ delayMs }) => delayMs)
      .toSorted((a, b) => a - b);
    return {
      usualDelayMs: middle(delays),
      longestDelayMs: delays.at(-1)!,
      speed: speedFrom(earlier, later),
    };
  }
}

/** The front of what is decided moves by the time that passes, less what the way grows longer. */
function speedFrom(earlier: readonly Sample[], later: readonly Sample[]): number {
  if (earlier.length === 0) {
    return 1;
  }
  const passed = meanOf(later, 'heardAt') - meanOf(earlier, 'heardAt');
  if (passed < trendMs) {
    return 1;
  }
  const grown = meanOf(later, 'delayMs') - meanOf(earlier, 'delayMs');
  return Math.min(fastest, Math.max(slowest, 1 - grown / passed));
}

function meanOf(samples: readonly Sample[], of: keyof Sample): number {
  return samples.reduce((sum, sample) => sum + sample[of], 0) / samples.length;
}

function middle(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)]!;
}
