import { setTimeout as delay } from 'node:timers/promises';
import type { AnswerJournal } from './answer-journal.ts';
import { assign, isToBeAskedAgain } from './assign.ts';
import type { Api, Told, Wish } from './assign.ts';

export interface CrowdOptions {
  /** Who may be asked now: they are, in turns. */
  apis: () => readonly Api[];
  /** A connection to a process that stands still would wait for ever. */
  answerTimeoutMs: number;
  /** How long somebody waits before asking again. */
  retryAfterMs?: () => number;
  /** Each request comes over a connection of its own, as from people who come in a rush. */
  ownConnections?: boolean;
  /** Keeps every request, and what came of it. */
  journal?: AnswerJournal;
}

const tickMs = 20;
const retryAfterMs = 50;
/** A process that stands still must not gather requests without end. */
const inFlightMax = 3_000;

/**
 * Clients who ask for coupons: a number of them, each again and again, or so many requests a second.
 * What they are told goes to `told`.
 */
export class Crowd {
  private readonly ending = new AbortController();
  private readonly abandoning = new AbortController();
  private readonly loops: Promise<unknown>[] = [];
  private readonly asking = new Set<Promise<unknown>>();
  private pausing: PromiseWithResolvers<void> | undefined;
  private requests = 0;

  constructor(private readonly options: CrowdOptions) {}

  get inFlight(): number {
    return this.asking.size;
  }

  get isAbandoned(): boolean {
    return this.abandoning.signal.aborted;
  }

  /** Asks once; nothing when nothing came. */
  ask(wish: Wish): Promise<Told | undefined> {
    return this.track(this.askOnce(wish));
  }

  /**
   * Asks again as long as the answer is 503 or 408, or none comes; returns the last one. Gives up after
   * `deadlineMs`, and when the crowd is abandoned.
   */
  async askUntilFinal(wish: Wish, deadlineMs = Infinity): Promise<Told | undefined> {
    const giveUpAt = Date.now() + deadlineMs;
    for (;;) {
      const told = await this.askOnce(wish);
      const isFinal = told !== undefined && !isToBeAskedAgain(told);
      if (isFinal || this.isAbandoned || Date.now() > giveUpAt) {
        return told;
      }
      await delay(this.options.retryAfterMs?.() ?? retryAfterMs);
    }
  }

  /** So many clients, each for one wish after another, with a pause after each final answer. */
  keepAsking(clients: number, next: () => Wish, pauseMs: number): void {
    const client = async (): Promise<void> => {
      for (;;) {
        await this.pausing?.promise;
        if (this.ending.signal.aborted) {
          return;
        }
        await this.track(this.askUntilFinal(next()));
        await delay(pauseMs);
      }
    };
    this.loops.push(...Array.from({ length: clients }, client));
  }

  /** So many requests a second, whatever becomes of them; `next` may want several at one moment. */
  keepRate(perSecond: number, next: () => Wish[]): void {
    this.loops.push(this.sendAtRate(perSecond, next));
  }

  /** Nobody new; whoever asks already gets a final answer before it resolves. */
  async finish(): Promise<void> {
    this.ending.abort();
    this.resume();
    await Promise.all(this.loops);
    await Promise.all(this.asking);
  }

  /** Whoever asks already gets a final answer before it resolves, and nobody asks until `resume`. */
  async pause(): Promise<void> {
    this.pausing ??= Promise.withResolvers();
    await Promise.all(this.asking);
  }

  resume(): void {
    this.pausing?.resolve();
    this.pausing = undefined;
  }

  /** Ends all requests as they are. */
  abandon(): Promise<void> {
    this.abandoning.abort();
    return this.finish();
  }

  /** Gets every answer. */
  protected told(_told: Told, _wish: Wish): void {}

  /** Gets why no answer came. */
  protected untold(_error: unknown, _wish: Wish): void {}

  private async sendAtRate(perSecond: number, next: () => Wish[]): Promise<void> {
    let sentUntil = performance.now();
    while (!this.ending.signal.aborted) {
      const now = performance.now();
      let due = Math.floor(((now - sentUntil) * perSecond) / 1_000);
      sentUntil += (due * 1_000) / perSecond;
      while (due > 0 && this.inFlight < inFlightMax) {
        const wishes = next();
        wishes.forEach((wish) => void this.ask(wish));
        due -= Math.max(1, wishes.length);
      }
      await delay(tickMs);
    }
  }

  private async askOnce(wish: Wish): Promise<Told | undefined> {
    const calledMs = performance.now();
    const told = await this.post(wish).catch((error: unknown) => {
      this.options.journal?.untold(wish, calledMs, error);
      if (!this.isAbandoned) {
        this.untold(error, wish);
      }
      return undefined;
    });
    if (told !== undefined) {
      this.options.journal?.told(told);
      this.told(told, wish);
    }
    return told;
  }

  private async post(wish: Wish): Promise<Told> {
    const { apis, answerTimeoutMs, ownConnections = false } = this.options;
    const asked = apis();
    const api = asked[this.requests % asked.length];
    this.requests += 1;
    if (api === undefined) {
      throw new Error('there is no api to ask');
    }
    return assign(api, wish, {
      signal: AbortSignal.any([AbortSignal.timeout(answerTimeoutMs), this.abandoning.signal]),
      headers: ownConnections ? { connection: 'close' } : {},
    });
  }

  private track<Result>(asking: Promise<Result>): Promise<Result> {
    this.asking.add(asking);
    return asking.finally(() => this.asking.delete(asking));
  }
}
