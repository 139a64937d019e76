import { Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { AssignOutcome } from '#admission/assign-coupon.ts';
import { AssignCoupon } from '#admission/assign-coupon.ts';
import { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import { unknownCoupon } from '../coupon/coupon-problems.ts';
import { ApiNotModified, keptByClients } from '../http/entity-tag/api-entity-tag.ts';
import { sendUncached, tagOfContent } from '../http/entity-tag/entity-tag.ts';
import { ApiProblems } from '../http/problem/api-problems.ts';
import { carriedContext } from '../http/http-traces.ts';
import { validated } from '../http/request/validation.ts';
import { Pace } from '../waiting/pace.ts';
import { AssignMetrics } from './assign-metrics.ts';
import { assignProblem } from './issuance-problems.ts';
import { AssignWithoutGate } from './assign-without-gate.ts';
import {
  assignAnswerSchema,
  assignBodyOpenApi,
  assignBodySchema,
  toAssignAnswer,
  toAssignRequest,
  toWallet,
  walletParametersSchema,
  walletQuerySchema,
  walletSchema,
} from './issuance.http.ts';

@ApiTags('issuances')
@Controller('api/v1')
export class IssuanceController {
  constructor(
    private readonly assignCoupon: AssignCoupon,
    private readonly metrics: AssignMetrics,
    private readonly withoutGate: AssignWithoutGate,
    private readonly ledger: IssuanceLedger,
    private readonly pace: Pace,
  ) {}

  @Post('coupons/assign')
  @HttpCode(200)
  @ApiOperation({ summary: 'Assign a coupon to a user; a repeat answers with the same issuance' })
  @ApiBody({ schema: assignBodyOpenApi })
  @ApiOkResponse({
    description: 'The request is recorded: it will be issued.',
    standardSchema: assignAnswerSchema,
    headers: {
      'Poll-After-Ms': {
        description: 'When to ask at `status_url`, in milliseconds from now; not in a repeat.',
        schema: { type: 'integer', minimum: 0 },
      },
      'Idempotent-Replayed': {
        description: 'true, when this user had been answered with this issuance before.',
        schema: { type: 'string', enum: ['true'] },
      },
    },
  })
  @ApiProblems(
    'COUPON_NOT_FOUND',
    'NOT_OPEN',
    'CLOSED',
    'PAUSED',
    'SOLD_OUT',
    'BODY_TOO_LARGE',
    'UNSUPPORTED_MEDIA_TYPE',
    'RECOVERING',
    'UNAVAILABLE',
    'UNCONFIRMED',
  )
  async assign(@Req() asked: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    // Past Nest's pipes and its way of sending, which are a tenth of what an assign takes.
    const body = validated(assignBodySchema, asked.body);
    const request = toAssignRequest(body, carriedContext(asked), asked.trail);
    const outcome = await this.withoutGate.explain(
      request,
      await this.assignCoupon.assign(request),
    );
    this.metrics.record(request.couponId, outcome);
    if (outcome.kind !== 'accepted') {
      throw this.toProblem(outcome, request.couponId);
    }
    if (outcome.replayed) {
      // It may have been decided long ago.
      reply.header('idempotent-replayed', 'true');
    } else {
      // Not in the body: that of a repeat is the same to the byte.
      reply.header('poll-after-ms', String(this.pace.forecast(outcome.issuanceId).pollAfterMs));
    }
    void reply.send(toAssignAnswer(request, outcome.issuanceId));
  }

  @Get('users/:user_id/coupons')
  @ApiOperation({ summary: 'The coupons issued to a user, oldest first' })
  @ApiOkResponse({ standardSchema: walletSchema, headers: keptByClients })
  @ApiNotModified()
  @ApiProblems('URI_TOO_LONG', 'UNAVAILABLE')
  async wallet(
    @Param({ schema: walletParametersSchema }) parameters: z.output<typeof walletParametersSchema>,
    @Query({ schema: walletQuerySchema }) query: z.output<typeof walletQuerySchema>,
    @Req() asked: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const page = await this.ledger.listByUser(parameters.user_id, query.limit, query.after);
    const wallet = toWallet(parameters.user_id, page, query.limit);
    sendUncached(asked, reply, wallet, tagOfContent(wallet));
  }

  private toProblem(outcome: Exclude<AssignOutcome, { kind: 'accepted' }>, couponId: number) {
    return outcome.kind === 'absent' ? unknownCoupon(couponId) : assignProblem(outcome, couponId);
  }
}
