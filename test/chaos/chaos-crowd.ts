import type { AnswerJournal } from '../../infra/harness/answer-journal.ts';
import { isToBeAskedAgain } from '../../infra/harness/assign.ts';
import type { Api, Told, Wish } from '../../infra/harness/assign.ts';
import { Crowd } from '../../infra/harness/crowd.ts';
import { waitUntil } from '../../infra/local/processes/waiting.ts';
import type { Random } from '../model/search/random.ts';
import type { ServiceWatch } from './service-watch.ts';

/** A coupon, and how many of a hundred requests are for it. */
export interface Share {
  couponId: number;
  percent: number;
}

export interface CrowdCounts {
  requests: number;
  /** Answers 200; `replayed` of them told an id again. */
  accepted: number;
  replayed: number;
  /** Answers 409: sold out, paused. */
  refused: number;
  /** Answers 503, or 408: the same user asks again. */
  sentAway: number;
  /** Nothing came: a process that died or stands still. The same user asks again. */
  unanswered: number;
  /** Nothing that is documented for such a request. */
  unexpected: number;
  /** Users who got no final answer and ask no more, because too many wait already. */
  gaveUp: number;
}

interface Waiting {
  wish: Wish;
  notBefore: number;
}

/** Whom the crowd asks for what, and who is told what came of it. */
interface Parts {
  apis: readonly Api[];
  shares: readonly Share[];
  random: Random;
  journal: AnswerJournal;
  watch: ServiceWatch;
}

const waitingMax = 5_000;
/** Longer than the api may take: see AssignCoupon. */
const answerTimeoutMs = 8_000;
const retryAfterMs = { least: 200, spread: 600 };
const recentUsersMax = 1_000;
const examplesMax = 5;

export const noCounts: Readonly<CrowdCounts> = {
  requests: 0,
  accepted: 0,
  replayed: 0,
  refused: 0,
  sentAway: 0,
  unanswered: 0,
  unexpected: 0,
  gaveUp: 0,
};

/**
 * A steady crowd: so many requests a second, whatever becomes of them. Most come from somebody new;
 * some users ask again, and some ask all apis at once. Who was sent away, or got no answer, asks
 * again after a while, within the same rate.
 */
export class ChaosCrowd extends Crowd {
  readonly counts: CrowdCounts = { ...noCounts };
  /** The first answers that were not expected, in words. */
  readonly unexpected: string[] = [];
  private readonly waiting: Waiting[] = [];
  private readonly recent: Wish[] = [];
  /** To whom an api has said yes already: another yes then proves little. */
  private readonly granted = new WeakSet<Wish>();
  private isClosing = false;
  private users = 0;

  constructor(private readonly parts: Parts) {
    super({ apis: () => parts.apis, answerTimeoutMs, journal: parts.journal });
  }

  start(requestsPerSecond: number): void {
    this.keepRate(requestsPerSecond, () => {
      const wishes = this.choose();
      this.counts.requests += wishes.length;
      return wishes;
    });
  }

  /** No new users; resolves when nobody waits any more. Rejects when that takes too long. */
  async close(deadlineMs: number): Promise<void> {
    this.isClosing = true;
    const nobodyWaits = (): true | undefined =>
      this.waiting.length === 0 && this.inFlight === 0 ? true : undefined;
    await waitUntil(nobodyWaits, {
      deadlineMs,
      failure: () => `${this.waiting.length} users still have no final answer`,
    });
    await this.finish();
  }

  protected override told(told: Told, wish: Wish): void {
    const { watch } = this.parts;
    const { api, status, headers, body, couponId, userId, text } = told;
    if (isToBeAskedAgain(told)) {
      this.counts.sentAway += 1;
      this.askLater(wish);
    } else if (status === 409 && (body.code === 'SOLD_OUT' || body.code === 'PAUSED')) {
      this.counts.refused += 1;
      watch.concluded(api, String(couponId));
    } else if (
      status === 200 &&
      body.issuance_id !== undefined &&
      body.user_id === userId &&
      body.coupon_id === couponId
    ) {
      this.counts.accepted += 1;
      this.counts.replayed += Number(headers.get('idempotent-replayed') === 'true');
      if (!this.granted.has(wish)) {
        this.granted.add(wish);
        watch.accepted(body.issuance_id as string);
      }
      watch.concluded(api, String(couponId));
    } else {
      this.counts.unexpected += 1;
      if (this.unexpected.length < examplesMax) {
        this.unexpected.push(`${api}, ${userId}, coupon ${couponId}: ${status} ${text}`);
      }
    }
  }

  protected override untold(_error: unknown, wish: Wish): void {
    this.counts.unanswered += 1;
    this.askLater(wish);
  }

  private choose(): Wish[] {
    const { random, apis } = this.parts;
    const oldest = this.waiting[0];
    const retryIsDue = oldest !== undefined && oldest.notBefore <= Date.now();
    if (retryIsDue && (this.isClosing || random.next() < 0.5)) {
      this.waiting.shift();
      return [oldest.wish];
    }
    if (this.isClosing) {
      return [];
    }
    const chance = random.below(100);
    const wish = chance < 10 ? this.recentUser() : this.newUser();
    // Collisions: the same user at every api at the same moment.
    return chance >= 95 ? apis.map(() => wish) : [wish];
  }

  private newUser(): Wish {
    const { random, shares } = this.parts;
    this.users += 1;
    let drawn = random.below(100);
    const share = shares.find(({ percent }) => (drawn -= percent) < 0) ?? shares[0]!;
    const wish = { couponId: share.couponId, userId: `user-${this.users}` };
    this.recent[this.users % recentUsersMax] = wish;
    return wish;
  }

  private recentUser(): Wish {
    return this.recent[this.parts.random.below(recentUsersMax)] ?? this.newUser();
  }

  private askLater(wish: Wish): void {
    if (this.waiting.length >= waitingMax) {
      this.counts.gaveUp += 1;
      return;
    }
    const afterMs = retryAfterMs.least + Math.random() * retryAfterMs.spread;
    this.waiting.push({ wish, notBefore: Date.now() + afterMs });
  }
}
