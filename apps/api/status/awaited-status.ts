import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RecordedIssuance } from '#coupon/issuance.ts';
import type { Waiter } from '../waiting/waiters.ts';
import { Waiters } from '../waiting/waiters.ts';
import { IssuanceStatusReader } from './issuance-status.ts';
import type { IssuanceStatusAnswer } from './status.http.ts';
import { toStatusAnswer } from './status.http.ts';

export interface Awaited {
  answer: IssuanceStatusAnswer;
  /** False when as many wait as may: the answer is as things are now. */
  mightWait: boolean;
}

/** The status of an issuance, for whoever would rather wait than ask again. */
@Injectable()
export class AwaitedStatus {
  constructor(
    private readonly reader: IssuanceStatusReader,
    private readonly waiters: Waiters,
  ) {}

  /** Answers as soon as it is decided, at the latest after so many seconds; throws what `reader` throws. */
  async read(
    issuanceId: string,
    seconds: number,
    asked: FastifyRequest,
    reply: FastifyReply,
  ): Promise<Awaited> {
    if (seconds === 0) {
      return { answer: await this.reader.read(issuanceId), mightWait: true };
    }
    // Before it is read: what is decided from here on is heard.
    using waiter = this.join(issuanceId);
    const answer = await this.reader.read(issuanceId);
    if (answer.status !== 'ACCEPTED' || waiter === undefined) {
      return { answer, mightWait: waiter !== undefined };
    }
    const decided = await this.untilDecided(waiter, seconds, asked, reply);
    if (decided !== undefined) {
      return { answer: toStatusAnswer(issuanceId, decided), mightWait: true };
    }
    // The end of a wait is a poll: whatever was not heard of is read now.
    const isTimeUp = !reply.raw.destroyed && !this.waiters.isClosed;
    return { answer: isTimeUp ? await this.reader.read(issuanceId) : answer, mightWait: true };
  }

  /** To be left, however it ends. Nothing when as many wait as may. */
  join(issuanceId: string): Waiter | undefined {
    return this.waiters.join(issuanceId, 'answer');
  }

  /**
   * What is decided, as soon as it is heard, also what was since `waiter` joined; nothing when the time
   * is up, and when nobody is there any more to be told.
   */
  async untilDecided(
    waiter: Waiter,
    seconds: number,
    asked: FastifyRequest,
    reply: FastifyReply,
  ): Promise<RecordedIssuance | undefined> {
    const since = performance.now();
    // Who waits costs nothing, and keeps nobody out.
    asked.leavePlace?.();
    reply.raw.once('close', () => waiter.end());
    if (reply.raw.destroyed) {
      waiter.end();
    }
    const decided = await waiter.told(seconds * 1_000);
    asked.waitedMs = performance.now() - since;
    return decided;
  }
}
