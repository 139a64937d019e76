import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AssignRequest } from '#coupon/issuance-request.ts';
import { ledgerFailure } from '#ledger/connection/ledger-failure.ts';
import { Problem } from '../http/problem/problem.ts';
import type { Awaited } from '../status/awaited-status.ts';
import { AwaitedStatus } from '../status/awaited-status.ts';
import { preferredWait, prefersAsync } from '../status/preferences.ts';
import { toStatusAnswer } from '../status/status.http.ts';
import { inWholeSeconds, Pace } from '../waiting/pace.ts';
import { WaitLimits } from '../waiting/wait-limits.ts';
import type { Waiter } from '../waiting/waiters.ts';
import { AcceptAssign } from './accept-assign.ts';
import { idempotencyKeyOf } from './idempotency.ts';
import { toAssignAnswer } from './issuance.http.ts';
import { refusedAfterAll } from './issuance-problems.ts';

interface Preferences {
  /** `wait=n`: how long the client would wait for the decision. */
  waitS: number | undefined;
  /** `respond-async`: undecided, the answer is to be 202. */
  isAsync: boolean;
}

/** An assign whose client says with `Prefer` (RFC 7240) how it would like to be answered. */
@Injectable()
export class PreferredAssign {
  constructor(
    private readonly accepting: AcceptAssign,
    private readonly awaited: AwaitedStatus,
    private readonly pace: Pace,
    private readonly limits: WaitLimits,
  ) {}

  /** False, and nothing is done, when it prefers nothing that is known here. */
  async answer(
    request: AssignRequest,
    asked: FastifyRequest,
    reply: FastifyReply,
  ): Promise<boolean> {
    const preferences = this.preferencesOf(asked);
    const { waitS = 0 } = preferences;
    if (preferences.waitS === undefined && !preferences.isAsync) {
      return false;
    }
    // Before anything is published: what is decided from here on is heard, and need not be read.
    const joined: { waiter?: Waiter | undefined } = {};
    const onReserved = (id: string): void => void (joined.waiter = this.awaited.join(id));
    try {
      const accepted = await this.accepting.accept(
        waitS > 0 ? { ...request, onReserved } : request,
        idempotencyKeyOf(asked),
      );
      const { issuanceId, replayed } = accepted;
      const known = replayed
        ? await this.known(issuanceId, waitS, asked, reply)
        : await this.decision(issuanceId, waitS, joined.waiter, asked, reply);
      if (replayed) {
        reply.header('idempotent-replayed', 'true');
      }
      this.send(request, known, preferences, reply);
      return true;
    } finally {
      joined.waiter?.[Symbol.dispose]();
    }
  }

  private preferencesOf({ headers }: FastifyRequest): Preferences {
    const prefer = headers['prefer']?.toString();
    const waitS = preferredWait(prefer);
    return {
      waitS: waitS === undefined ? undefined : Math.min(waitS, this.limits.answerMaxS),
      isAsync: prefersAsync(prefer),
    };
  }

  /** Of what was reserved just now, under an id that nobody can have decided before. */
  private async decision(
    issuanceId: string,
    waitS: number,
    waiter: Waiter | undefined,
    asked: FastifyRequest,
    reply: FastifyReply,
  ): Promise<Awaited> {
    if (waitS === 0 || waiter === undefined) {
      return { answer: toStatusAnswer(issuanceId, undefined), mightWait: waitS === 0 };
    }
    const decided = await this.awaited.untilDecided(waiter, waitS, asked, reply);
    if (decided !== undefined || reply.raw.destroyed) {
      return { answer: toStatusAnswer(issuanceId, decided), mightWait: true };
    }
    const { answer } = await this.known(issuanceId, 0, asked, reply);
    return { answer, mightWait: true };
  }

  /** It is accepted, whatever keeps a store from telling more. */
  private async known(
    issuanceId: string,
    waitS: number,
    asked: FastifyRequest,
    reply: FastifyReply,
  ): Promise<Awaited> {
    try {
      return await this.awaited.read(issuanceId, waitS, asked, reply);
    } catch (error) {
      if (error instanceof Problem || ledgerFailure(error) !== undefined) {
        return { answer: toStatusAnswer(issuanceId, undefined), mightWait: false };
      }
      throw error;
    }
  }

  private send(
    request: AssignRequest,
    { answer, mightWait }: Awaited,
    { waitS, isAsync }: Preferences,
    reply: FastifyReply,
  ): void {
    const { status, decided_at } = answer;
    if (status === 'REFUSED') {
      throw refusedAfterAll(answer.issuance_id, answer.reason!);
    }
    const body = toAssignAnswer(request, answer.issuance_id, { status, decided_at });
    const applied = waitS !== undefined && mightWait ? [`wait=${waitS}`] : [];
    if (status === 'ACCEPTED') {
      const forecast = this.pace.forecast(answer.issuance_id);
      reply.header('retry-after', inWholeSeconds(forecast));
      reply.header('poll-after-ms', String(forecast.pollAfterMs));
      if (isAsync) {
        applied.unshift('respond-async');
        reply.code(202).header('location', body.status_url);
      }
    }
    if (applied.length > 0) {
      reply.header('preference-applied', applied.join(', '));
    }
    void reply.send(body);
  }
}
