import { Body, Controller, HttpCode, Param, Post, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { keptByClients } from '../http/entity-tag/api-entity-tag.ts';
import { uncached } from '../http/entity-tag/entity-tag.ts';
import { ApiProblems } from '../http/problem/api-problems.ts';
import {
  issuanceStatusSchema,
  statusParametersSchema,
  tagOfStatus,
  toStatusAnswer,
} from '../status/status.http.ts';
import { RedeemIssuance } from './redeem-issuance.ts';
import { RedemptionMetrics } from './redemption-metrics.ts';
import { redeemBodySchema } from './redemption.http.ts';

@ApiTags('issuances')
@Controller('api/v1/issuances')
export class RedemptionController {
  constructor(
    private readonly redeemIssuance: RedeemIssuance,
    private readonly metrics: RedemptionMetrics,
  ) {}

  @Post(':issuance_id/redeem')
  @HttpCode(200)
  @RouteConfig({ isBodyOptional: true })
  @ApiOperation({ summary: 'Use up what was issued, once; a repeat answers with the same' })
  @ApiBody({
    required: false,
    schema: z.toJSONSchema(redeemBodySchema, { target: 'openapi-3.0', io: 'input' }) as object,
  })
  @ApiOkResponse({
    description: 'It is redeemed, now or by this reference before.',
    standardSchema: issuanceStatusSchema,
    headers: {
      ...keptByClients,
      'Idempotent-Replayed': {
        description: 'true, when it had been redeemed before: for this reference, or without any.',
        schema: { type: 'string', enum: ['true'] },
      },
    },
  })
  @ApiProblems(
    'ISSUANCE_NOT_FOUND',
    'NOT_ISSUED_YET',
    'REFUSED',
    'ALREADY_REDEEMED',
    'EXPIRED',
    'BODY_TOO_LARGE',
    'URI_TOO_LONG',
    'UNSUPPORTED_MEDIA_TYPE',
    'UNAVAILABLE',
  )
  async redeem(
    @Param({ schema: statusParametersSchema }) parameters: z.output<typeof statusParametersSchema>,
    @Body({ schema: redeemBodySchema }) { reference }: z.output<typeof redeemBodySchema>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const issuanceId = parameters.issuance_id;
    const redeeming = this.redeemIssuance.redeem({ issuanceId, reference });
    const { issuance, isNew } = await this.metrics.counted(redeeming);
    if (!isNew) {
      reply.header('idempotent-replayed', 'true');
    }
    const answer = toStatusAnswer(issuanceId, issuance);
    void reply.headers({ ...uncached, etag: tagOfStatus(answer) }).send(answer);
  }
}
