import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { ApiProblems } from '../http/problem/api-problems.ts';
import { CouponAvailability } from './coupon-availability.ts';
import type { CouponAnswer } from './coupon.http.ts';
import { couponParametersSchema, couponSchema } from './coupon.http.ts';

@ApiTags('coupons')
@Controller('api/v1/coupons')
export class CouponController {
  constructor(private readonly availability: CouponAvailability) {}

  @Get(':coupon_id')
  @ApiOperation({ summary: 'A coupon, and what is left of it' })
  @ApiOkResponse({ standardSchema: couponSchema })
  @ApiProblems('URI_TOO_LONG', 'COUPON_NOT_FOUND', 'RECOVERING', 'UNAVAILABLE')
  coupon(
    @Param({ schema: couponParametersSchema }) parameters: z.output<typeof couponParametersSchema>,
  ): Promise<CouponAnswer> {
    return this.availability.read(parameters.coupon_id);
  }
}
