import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiProblems } from '../http/problem/api-problems.ts';
import { carriedContext } from '../http/http-traces.ts';
import { validated } from '../http/request/validation.ts';
import { Pace } from '../waiting/pace.ts';
import { AcceptAssign } from './accept-assign.ts';
import { answeredBefore, ofAsync, preferenceApplied, whenToAsk } from './assign-headers.ts';
import { idempotencyKeyOf, keyLengthMax } from './idempotency.ts';
import { PreferredAssign } from './preferred-assign.ts';
import {
  assignAnswerSchema,
  assignBodyOpenApi,
  assignBodySchema,
  toAssignAnswer,
  toAssignRequest,
} from './issuance.http.ts';

@ApiTags('issuances')
@Controller('api/v1')
export class IssuanceController {
  constructor(
    private readonly accepting: AcceptAssign,
    private readonly preferred: PreferredAssign,
    private readonly pace: Pace,
  ) {}

  @Post('coupons/assign')
  @HttpCode(200)
  @ApiOperation({ summary: 'Assign a coupon to a user; a repeat answers with the same issuance' })
  @ApiBody({ schema: assignBodyOpenApi })
  @ApiHeader({
    name: 'Prefer',
    description:
      '`wait=n` (RFC 7240): answer once it is decided, after n seconds (30 at most) at the latest. `respond-async`: answer 202 while it is not.',
    required: false,
    schema: { type: 'string' },
  })
  @ApiHeader({
    name: 'Idempotency-Key',
    description: `For one body of this user: with another one it is 422. 1 to ${keyLengthMax} printable ASCII characters, in double quotes or without. Repeats are safe without it.`,
    required: false,
    schema: { type: 'string' },
  })
  @ApiOkResponse({
    description: 'The request is recorded: it will be issued.',
    standardSchema: assignAnswerSchema,
    headers: { ...whenToAsk, ...answeredBefore, ...preferenceApplied },
  })
  @ApiAcceptedResponse({
    description: 'The same, for `Prefer: respond-async`, while it is not decided.',
    standardSchema: assignAnswerSchema,
    headers: ofAsync,
  })
  @ApiProblems(
    'COUPON_NOT_FOUND',
    'NOT_OPEN',
    'CLOSED',
    'PAUSED',
    'SOLD_OUT',
    'REFUSED',
    'LENGTH_REQUIRED',
    'BODY_TOO_LARGE',
    'UNSUPPORTED_MEDIA_TYPE',
    'IDEMPOTENCY_KEY_REUSED',
    'RECOVERING',
    'UNAVAILABLE',
    'UNCONFIRMED',
  )
  async assign(@Req() asked: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    // Past Nest's pipes and its way of sending, which are a tenth of what an assign takes.
    const body = validated(assignBodySchema, asked.body);
    const request = toAssignRequest(body, carriedContext(asked), asked.trail);
    if (
      asked.headers['prefer'] !== undefined &&
      (await this.preferred.answer(request, asked, reply))
    ) {
      return;
    }
    const { issuanceId, replayed } = await this.accepting.accept(request, idempotencyKeyOf(asked));
    if (replayed) {
      // It may have been decided long ago.
      reply.header('idempotent-replayed', 'true');
    } else {
      // Not in the body: that of a repeat is the same to the byte.
      reply.header('poll-after-ms', String(this.pace.forecast(issuanceId).pollAfterMs));
    }
    void reply.send(toAssignAnswer(request, issuanceId));
  }
}
