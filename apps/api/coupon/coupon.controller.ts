import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { ApiProblems } from '../http/api-problems.js';
import { CouponAvailability } from './coupon-availability.js';
import type { CouponAnswer } from './coupon.http.js';
import { couponParametersSchema, couponSchema } from './coupon.http.js';

@ApiTags('coupons')
@Controller('api/v1/coupons')
export class CouponController {
  constructor(private readonly availability: CouponAvailability) {}

  @Get(':coupon_id')
  @ApiOperation({ summary: 'A campaign, and what is left of it' })
  @ApiOkResponse({ standardSchema: couponSchema })
  @ApiProblems('INVALID_REQUEST', 'COUPON_NOT_FOUND', 'OVERLOADED', 'RECOVERING')
  show(
    @Param({ schema: couponParametersSchema }) parameters: z.output<typeof couponParametersSchema>,
  ): Promise<CouponAnswer> {
    return this.availability.read(parameters.coupon_id);
  }
}
