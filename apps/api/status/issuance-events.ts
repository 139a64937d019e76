import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../http/problem/problem.ts';
import { Pace } from '../waiting/pace.ts';
import { WaitLimits } from '../waiting/wait-limits.ts';
import { Waiters } from '../waiting/waiters.ts';
import type { Waiter } from '../waiting/waiters.ts';
import { EventStream, eventStreamHeaders } from './event-stream.ts';
import { IssuanceStatusReader } from './issuance-status.ts';
import type { IssuanceStatusAnswer } from './status.http.ts';
import { toStatusAnswer, waitMostS, withForecast } from './status.http.ts';

/** Streams that end together, or break together, are not to come back together. */
const retryLeastMs = 500;
const retrySpreadMs = 4_500;

/** A client that has the final event and comes all the same: nothing follows, and 204 says so to it. */
const nothingFollows = 204;

/** The status of an issuance as events: `accepted` while it is under way, `decided` once, and the end. */
@Injectable()
export class IssuanceEvents {
  constructor(
    private readonly reader: IssuanceStatusReader,
    private readonly waiters: Waiters,
    private readonly pace: Pace,
    private readonly limits: WaitLimits,
  ) {}

  /** Resolves when the stream has ended; throws what `reader` throws, while nothing is answered yet. */
  async stream(issuanceId: string, asked: FastifyRequest, reply: FastifyReply): Promise<void> {
    using waiter = this.waiters.join(issuanceId, 'events');
    const first = await this.reader.read(issuanceId);
    const known = asked.headers['last-event-id'];
    if (isDecided(first) && known === first.status) {
      void reply.code(nothingFollows).send();
      return;
    }
    asked.leavePlace?.();
    reply.hijack();
    takeOverHeaders(reply);
    if (asked.method === 'HEAD') {
      reply.raw.writeHead(200, eventStreamHeaders).end();
      return;
    }
    const since = performance.now();
    const stream = new EventStream(reply.raw, retryMs(), this.limits.heartbeatMs);
    reply.raw.once('close', () => {
      asked.waitedMs = performance.now() - since;
      waiter?.end();
    });
    if (!isDecided(first) && known !== first.status) {
      const forecast = this.pace.forecast(issuanceId);
      stream.send({ event: 'accepted', id: first.status, data: withForecast(first, forecast) });
    }
    await this.finish(stream, first, waiter);
    stream.end();
  }

  private async finish(
    stream: EventStream,
    first: IssuanceStatusAnswer,
    waiter: Waiter | undefined,
  ): Promise<void> {
    const last = isDecided(first) ? first : waiter && (await this.untilDecided(stream, waiter));
    if (last instanceof Problem) {
      // Under way as long as it could be told, and never acknowledged to anybody.
      stream.send({ event: 'unknown', data: { issuance_id: first.issuance_id, code: last.code } });
    } else if (last !== undefined) {
      stream.send({ event: 'decided', id: last.status, data: last });
    } else if (waiter === undefined) {
      // As many wait as may: it is a poll, and its client comes back when a poll would.
      stream.retryAfter(this.pace.forecast(first.issuance_id).pollAfterMs);
    } else {
      stream.retryAfter(retryMs());
    }
  }

  /** Nothing when the client is gone, or is to connect anew; a problem when there is no such issuance. */
  private async untilDecided(
    stream: EventStream,
    waiter: Waiter,
  ): Promise<IssuanceStatusAnswer | Problem | undefined> {
    const { issuanceId } = waiter;
    const endsAt = performance.now() + this.limits.eventsMaxMs;
    while (!stream.isClosed && !this.waiters.isClosed && performance.now() < endsAt) {
      const restMs = endsAt - performance.now();
      const decided = await waiter.told(Math.min(restMs, waitMostS * 1_000));
      if (decided !== undefined) {
        return toStatusAnswer(issuanceId, decided);
      }
      const status = await this.reader.read(issuanceId).catch(toUnknown);
      if (status instanceof Problem || (status !== undefined && isDecided(status))) {
        return status;
      }
    }
    return undefined;
  }
}

/** What was said to any answer, such as who may read it, holds for one past the framework, too. */
function takeOverHeaders(reply: FastifyReply): void {
  Object.entries(reply.getHeaders()).forEach(([name, value]) => reply.raw.setHeader(name, value!));
}

function isDecided({ status }: IssuanceStatusAnswer): boolean {
  return status !== 'ACCEPTED';
}

/** A store that is away comes back: whoever waits goes on waiting. */
function toUnknown(error: unknown): Problem | undefined {
  return error instanceof Problem && error.code === 'ISSUANCE_NOT_FOUND' ? error : undefined;
}

function retryMs(): number {
  return Math.round(retryLeastMs + Math.random() * retrySpreadMs);
}
