import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../model/random.ts';
import type { AnswerJournal } from './answer-journal.ts';
import type { Api, AssignAnswer } from './assign.ts';
import { assign } from './assign.ts';
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
  /** Answers 503: the same user asks again. */
  sentAway: number;
  /** Nothing came: a process that died or stands still. The same user asks again. */
  unanswered: number;
  /** Nothing that is documented for such a request. */
  unexpected: number;
  /** Users who got no final answer and ask no more, because too many wait already. */
  gaveUp: number;
}

interface Wish {
  couponId: number;
  userId: string;
  /** Whether an api has said yes already: another yes then proves little. */
  isGranted: boolean;
}

interface Waiting {
  wish: Wish;
  notBefore: number;
}

const tickMs = 20;
/** A process that stands still must not gather requests without end. */
const inFlightMax = 3_000;
const waitingMax = 5_000;
/** Longer than the api may take: see AssignCoupon. */
const answerTimeoutMs = 8_000;
const retryAfterMs = { least: 200, spread: 600 };
const recentUsersMax = 1_000;
const examplesMax = 5;

/**
 * A steady crowd: so many requests a second, whatever becomes of them. Most come from somebody new;
 * some users ask again, and some ask all apis at once. Who was sent away, or got no answer, asks
 * again after a while, within the same rate.
 */
export class Crowd {
  readonly counts: CrowdCounts = {
    requests: 0,
    accepted: 0,
    replayed: 0,
    refused: 0,
    sentAway: 0,
    unanswered: 0,
    unexpected: 0,
    gaveUp: 0,
  };
  /** The first answers that were not expected, in words. */
  readonly unexpected: string[] = [];
  private readonly apis: readonly Api[];
  private readonly shares: readonly Share[];
  private readonly random: Random;
  private readonly requestsPerSecond: number;
  private readonly journal: AnswerJournal;
  private readonly watch: ServiceWatch;
  private readonly waiting: Waiting[] = [];
  private readonly recent: Wish[] = [];
  private readonly ending = new AbortController();
  private isClosing = false;
  private users = 0;
  private inFlight = 0;
  private running: Promise<void> = Promise.resolve();

  constructor(
    parts: { apis: readonly Api[]; shares: readonly Share[]; random: Random },
    given: { requestsPerSecond: number; journal: AnswerJournal; watch: ServiceWatch },
  ) {
    this.apis = parts.apis;
    this.shares = parts.shares;
    this.random = parts.random;
    this.requestsPerSecond = given.requestsPerSecond;
    this.journal = given.journal;
    this.watch = given.watch;
  }

  start(): void {
    this.running = this.run();
  }

  /** No new users; resolves when nobody waits any more. Rejects when that takes too long. */
  async finish(deadlineMs: number): Promise<void> {
    this.isClosing = true;
    const giveUpAt = Date.now() + deadlineMs;
    while (this.waiting.length > 0 || this.inFlight > 0) {
      if (Date.now() > giveUpAt) {
        throw new Error(`${this.waiting.length} users still have no final answer`);
      }
      await sleep(tickMs);
    }
    await this.end();
  }

  /** Ends all requests as they are. */
  async end(): Promise<void> {
    this.ending.abort();
    await this.running;
    while (this.inFlight > 0) {
      await sleep(tickMs);
    }
  }

  private async run(): Promise<void> {
    let sentUntil = performance.now();
    while (!this.ending.signal.aborted) {
      const now = performance.now();
      let due = Math.floor(((now - sentUntil) * this.requestsPerSecond) / 1_000);
      sentUntil += (due * 1_000) / this.requestsPerSecond;
      for (; due > 0 && this.inFlight < inFlightMax; due -= 1) {
        due -= this.sendNext() - 1;
      }
      await sleep(tickMs);
    }
  }

  /** Returns how many requests it sent. */
  private sendNext(): number {
    const oldest = this.waiting[0];
    const retryIsDue = oldest !== undefined && oldest.notBefore <= Date.now();
    if (retryIsDue && (this.isClosing || this.random.next() < 0.5)) {
      this.waiting.shift();
      this.send(oldest.wish);
      return 1;
    }
    if (this.isClosing) {
      return 1;
    }
    const chance = this.random.below(100);
    const wish = chance < 10 ? this.recentUser() : this.newUser();
    // Collisions: the same user at every api at the same moment.
    const copies = chance >= 95 ? this.apis.length : 1;
    for (let i = 0; i < copies; i += 1) {
      this.send(wish);
    }
    return copies;
  }

  private newUser(): Wish {
    this.users += 1;
    let drawn = this.random.below(100);
    const share = this.shares.find(({ percent }) => (drawn -= percent) < 0) ?? this.shares[0]!;
    const wish = { couponId: share.couponId, userId: `user-${this.users}`, isGranted: false };
    this.recent[this.users % recentUsersMax] = wish;
    return wish;
  }

  private recentUser(): Wish {
    return this.recent[this.random.below(recentUsersMax)] ?? this.newUser();
  }

  private send(wish: Wish): void {
    const api = this.apis[this.counts.requests % this.apis.length]!;
    this.counts.requests += 1;
    this.inFlight += 1;
    void this.ask(api, wish).finally(() => (this.inFlight -= 1));
  }

  private async ask(api: Api, wish: Wish): Promise<void> {
    try {
      const timeout = AbortSignal.timeout(answerTimeoutMs);
      this.keep(api, wish, await assign(api, wish, AbortSignal.any([timeout, this.ending.signal])));
    } catch {
      this.counts.unanswered += 1;
      this.askLater(wish);
    }
  }

  private keep(api: Api, wish: Wish, { status, replayed, text, body }: AssignAnswer): void {
    const { couponId, userId } = wish;
    const { issuance_id, code } = body;
    const asked = { coupon_id: couponId, user_id: userId };
    this.journal.write({
      at: Date.now(),
      api: api.name,
      http_status: status,
      ...(issuance_id === undefined ? {} : { issuance_id }),
      ...asked,
      ...(code === undefined ? {} : { code }),
    });
    if (status === 503) {
      this.counts.sentAway += 1;
      this.askLater(wish);
    } else if (status === 409 && (code === 'SOLD_OUT' || code === 'PAUSED')) {
      this.counts.refused += 1;
      this.watch.concluded(api.name, String(couponId));
    } else if (
      status === 200 &&
      issuance_id !== undefined &&
      body.user_id === userId &&
      body.coupon_id === couponId
    ) {
      this.counts.accepted += 1;
      this.counts.replayed += Number(replayed);
      if (!wish.isGranted) {
        wish.isGranted = true;
        this.watch.accepted(issuance_id);
      }
      this.watch.concluded(api.name, String(couponId));
    } else {
      this.counts.unexpected += 1;
      if (this.unexpected.length < examplesMax) {
        this.unexpected.push(`${api.name}, ${userId}, coupon ${couponId}: ${status} ${text}`);
      }
    }
  }

  private askLater(wish: Wish): void {
    if (this.ending.signal.aborted) {
      return;
    }
    if (this.waiting.length >= waitingMax) {
      this.counts.gaveUp += 1;
      return;
    }
    const afterMs = retryAfterMs.least + Math.random() * retryAfterMs.spread;
    this.waiting.push({ wish, notBefore: Date.now() + afterMs });
  }
}
