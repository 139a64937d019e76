import { z } from 'zod';
import { couponIdSchema } from '#coupon/issuance.ts';
import { wholeNumberIn } from '#platform/text/decimals.ts';
import { couponIdExample } from '../http/examples.ts';

export const couponParametersSchema = z.object({
  coupon_id: z
    .preprocess((text) => wholeNumberIn(String(text)), couponIdSchema)
    .meta({ example: couponIdExample }),
});

export const couponSchema = z
  .object({
    coupon_id: couponIdSchema,
    name: z.string(),
    state: z
      .enum(['OPEN', 'NOT_OPEN', 'PAUSED', 'CLOSED', 'SOLD_OUT', 'RECOVERING'])
      .describe('What an assign by somebody new would meet now.'),
    total: z.int(),
    left: z.int().nullable().describe('Units not yet taken; null while RECOVERING.'),
    opens_at: z.iso.datetime().nullable(),
    closes_at: z.iso.datetime().nullable(),
    valid_until: z.iso
      .datetime()
      .nullable()
      .describe('From then on what was issued of it cannot be redeemed; null: no end.'),
  })
  .meta({ id: 'Coupon' });

export type CouponAnswer = z.output<typeof couponSchema>;
