import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import {
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ApiNotModified, keptByClients } from '../http/entity-tag/api-entity-tag.ts';
import { sendUncached } from '../http/entity-tag/entity-tag.ts';
import { ApiProblems } from '../http/problem/api-problems.ts';
import { WaitLimits } from '../waiting/wait-limits.ts';
import { inWholeSeconds, Pace } from '../waiting/pace.ts';
import { AwaitedStatus } from './awaited-status.ts';
import { IssuanceEvents } from './issuance-events.ts';
import {
  issuanceStatusSchema,
  statusParametersSchema,
  statusQuerySchema,
  tagOfStatus,
  withForecast,
} from './status.http.ts';
import { preferredWait } from './preferences.ts';

const retryAfter = {
  'Retry-After': {
    description:
      'While ACCEPTED: seconds to wait before asking again; `poll_after_ms`, rounded up.',
    schema: { type: 'integer', minimum: 1 },
  },
} as const;

@ApiTags('issuances')
@Controller('api/v1/issuances')
export class StatusController {
  constructor(
    private readonly awaited: AwaitedStatus,
    private readonly issuanceEvents: IssuanceEvents,
    private readonly pace: Pace,
    private readonly limits: WaitLimits,
  ) {}

  @Get(':issuance_id')
  @ApiOperation({ summary: 'Where an issuance stands; waits for a decision, if asked to' })
  @ApiHeader({
    name: 'Prefer',
    description: '`wait=n` (RFC 7240): as the parameter `wait`, which counts where both are given.',
    required: false,
  })
  @ApiOkResponse({
    standardSchema: issuanceStatusSchema,
    headers: {
      ...keptByClients,
      ...retryAfter,
      'Preference-Applied': {
        description: 'The wait of `Prefer` that was applied.',
        schema: { type: 'string' },
      },
    },
  })
  @ApiNotModified(retryAfter)
  @ApiProblems('URI_TOO_LONG', 'ISSUANCE_NOT_FOUND', 'UNAVAILABLE')
  async status(
    @Param({ schema: statusParametersSchema }) parameters: z.output<typeof statusParametersSchema>,
    @Query({ schema: statusQuerySchema }) query: z.output<typeof statusQuerySchema>,
    @Req() asked: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const preferred =
      query.wait === undefined ? preferredWait(singleHeader(asked, 'prefer')) : undefined;
    const seconds = Math.min(query.wait ?? preferred ?? 0, this.limits.answerMaxS);
    const id = parameters.issuance_id;
    const { answer, mightWait } = await this.awaited.read(id, seconds, asked, reply);
    if (preferred !== undefined && mightWait) {
      reply.header('preference-applied', `wait=${seconds}`);
    }
    if (answer.status !== 'ACCEPTED') {
      sendUncached(asked, reply, answer, tagOfStatus(answer));
      return;
    }
    const forecast = this.pace.forecast(id);
    reply.header('retry-after', inWholeSeconds(forecast));
    sendUncached(asked, reply, withForecast(answer, forecast), tagOfStatus(answer));
  }

  @Get(':issuance_id/events')
  @ApiOperation({ summary: 'The status of an issuance as server-sent events, until it is decided' })
  @ApiHeader({
    name: 'Last-Event-ID',
    description: 'The id of the last event that the client has, where it was cut off.',
    required: false,
  })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({
    description:
      '`accepted` while it is under way, `decided` once and last: `data` of both is an IssuanceStatus.',
    content: { 'text/event-stream': { schema: { type: 'string' } } },
  })
  @ApiNoContentResponse({ description: 'The client has the last event: nothing follows.' })
  @ApiProblems('URI_TOO_LONG', 'ISSUANCE_NOT_FOUND', 'UNAVAILABLE')
  events(
    @Param({ schema: statusParametersSchema }) parameters: z.output<typeof statusParametersSchema>,
    @Req() asked: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.issuanceEvents.stream(parameters.issuance_id, asked, reply);
  }
}

/** Node joins those that come several times. */
function singleHeader({ headers }: FastifyRequest, name: string): string | undefined {
  return headers[name]?.toString();
}
