import { assign, coupon, status, wallet } from './generated/sdk.gen.ts';
import type {
  AssignAnswer,
  AssignData,
  Coupon,
  IssuanceStatus,
  Wallet,
  WalletData,
} from './generated/types.gen.ts';
import type { Patience } from './patience.ts';
import { Deadline } from './patience.ts';
import type { Client, Endpoint, Outcome } from './transport.ts';
import { createTransport } from './transport.ts';

export type * from './generated/types.gen.ts';
export type { Endpoint } from './transport.ts';
export type { Patience } from './patience.ts';
export { FirstcomeProblem, FirstcomeTimeout } from './errors.ts';

/** Ends, if the caller gives no other: of an assign or a look, and of the wait for a decision. */
const answeredWithinMs = 60_000;
const decidedWithinMs = 120_000;
/** A request is given up by then, beside the time that it was asked to wait. */
const answerMostMs = 10_000;
/** The longest that the api waits. */
const waitMostS = 30;

/** An assign under way: its answer, and the way to what becomes of it. */
export interface Assigning extends Promise<AssignAnswer> {
  /** Resolves to the final status, ISSUED or REFUSED. */
  waitUntilDecided(patience?: Patience): Promise<IssuanceStatus>;
}

/**
 * The api, asked with its own manners: what it says about asking again (X-Should-Retry, Retry-After,
 * poll_after_ms) is done, where it says nothing pauses grow, and each call has an end. Rejects with
 * `FirstcomeProblem`, with `FirstcomeTimeout`, or with the reason of its signal.
 */
export class Firstcome {
  private readonly client: Client;

  constructor(endpoint: Endpoint = {}) {
    this.client = createTransport(endpoint);
  }

  /** May be repeated, and repeats by itself: a user gets one unit of a coupon, and one id. */
  assign(body: AssignData['body'], patience: Patience = {}): Assigning {
    const answer = this.ask(patience, (signal) => assign({ client: this.client, body, signal }));
    return Object.assign(answer, {
      waitUntilDecided: async (longer: Patience = {}) =>
        this.waitUntilDecided((await answer).issuance_id, { ...patience, ...longer }),
    });
  }

  /** Asks to be answered once it is decided, again and again: one request does for half a minute. */
  async waitUntilDecided(issuanceId: string, patience: Patience = {}): Promise<IssuanceStatus> {
    const deadline = new Deadline(patience, patience.withinMs ?? decidedWithinMs, issuanceId);
    for (;;) {
      const wait = Math.max(0, Math.min(waitMostS, Math.floor(deadline.leftMs / 1_000)));
      const askedAt = performance.now();
      const told = await deadline.succeed(
        (signal) => this.lookAt(issuanceId, wait, signal),
        wait * 1_000 + answerMostMs,
      );
      if (told.status !== 'ACCEPTED') {
        return told;
      }
      // Answered before its time it could not wait there: then it is said when to come back.
      const hasWaited = wait > 0 && performance.now() - askedAt >= wait * 1_000 - 500;
      await deadline.pause(hasWaited ? 0 : (told.poll_after_ms ?? 1_000));
    }
  }

  status(issuanceId: string, patience: Patience = {}): Promise<IssuanceStatus> {
    return this.ask(patience, (signal) => this.lookAt(issuanceId, 0, signal));
  }

  coupon(couponId: number, patience: Patience = {}): Promise<Coupon> {
    const path = { coupon_id: couponId };
    return this.ask(patience, (signal) => coupon({ client: this.client, path, signal }));
  }

  wallet(
    userId: string,
    query: NonNullable<WalletData['query']> = {},
    patience: Patience = {},
  ): Promise<Wallet> {
    const path = { user_id: userId };
    return this.ask(patience, (signal) => wallet({ client: this.client, path, query, signal }));
  }

  private lookAt(issuanceId: string, wait: number, signal: AbortSignal) {
    const path = { issuance_id: issuanceId };
    return status({ client: this.client, path, query: { wait }, signal });
  }

  private ask<Responses, Errors>(
    patience: Patience,
    ask: (signal: AbortSignal) => Promise<Outcome<Responses, Errors>>,
  ): Promise<Responses[keyof Responses]> {
    const deadline = new Deadline(patience, patience.withinMs ?? answeredWithinMs);
    return deadline.succeed(ask, answerMostMs);
  }
}
