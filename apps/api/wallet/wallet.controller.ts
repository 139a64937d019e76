import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ApiNotModified, keptByClients } from '../http/entity-tag/api-entity-tag.ts';
import { sendUncached, tagOfContent } from '../http/entity-tag/entity-tag.ts';
import { ApiProblems } from '../http/problem/api-problems.ts';
import {
  toWallet,
  walletParametersSchema,
  walletQuerySchema,
  walletSchema,
} from './wallet.http.ts';
import { Wallet } from './wallet.ts';

@ApiTags('issuances')
@Controller('api/v1/users')
export class WalletController {
  constructor(private readonly wallet: Wallet) {}

  @Get(':user_id/coupons')
  @ApiOperation({
    operationId: 'wallet',
    summary: 'The coupons of a user, oldest first: accepted, and then issued',
  })
  @ApiOkResponse({ standardSchema: walletSchema, headers: keptByClients })
  @ApiNotModified()
  @ApiProblems('USER_NOT_FOUND', 'URI_TOO_LONG', 'UNAVAILABLE')
  async show(
    @Param({ schema: walletParametersSchema }) parameters: z.output<typeof walletParametersSchema>,
    @Query({ schema: walletQuerySchema }) query: z.output<typeof walletQuerySchema>,
    @Req() asked: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const page = await this.wallet.page(parameters.user_id, query.limit, query.after);
    const answer = toWallet(parameters.user_id, page);
    sendUncached(asked, reply, answer, tagOfContent(answer));
  }
}
