import { z } from 'zod';
import { referenceSchema, userIdLengthMax } from '#coupon/issuance.ts';

/** The shapes of a redemption, as clients see them. Its answer is the status of the issuance. */

export const redeemBodySchema = z
  .strictObject(
    {
      reference: referenceSchema
        .optional()
        .describe('What it is redeemed for, as an order; the same one may repeat, another may not.')
        .meta({ minLength: 1, maxLength: userIdLengthMax, example: 'order-4711' }),
    },
    { error: ({ code }) => (code === 'invalid_type' ? 'must be a JSON object' : undefined) },
  )
  // No body at all.
  .default({});
