import { z } from 'zod';
import { couponIdSchema, issuanceIdSchema, reservedAtOf, userIdSchema } from '#coupon/issuance.ts';
import { issuanceStatuses } from '#coupon/issuance-states.ts';
import type { AssignRequest } from '#coupon/issuance-request.ts';
import { toIsoTime } from '#platform/text/iso-time.ts';

import { couponIdExample, userIdMeta } from '../http/examples.ts';

/** The shapes of the issuance routes, as clients see them: snake_case, times in ISO 8601 UTC. */

export const assignBodySchema = z.strictObject(
  {
    user_id: userIdSchema.meta(userIdMeta),
    coupon_id: couponIdSchema.meta({ example: couponIdExample }),
  },
  { error: ({ code }) => (code === 'invalid_type' ? 'must be a JSON object' : undefined) },
);

/** As documented: a handler that takes the request as it is says nothing about its body. */
export const assignBodyOpenApi = z.toJSONSchema(assignBodySchema, {
  target: 'openapi-3.0',
}) as object;

export const assignAnswerSchema = z
  .object({
    issuance_id: issuanceIdSchema,
    coupon_id: couponIdSchema,
    user_id: z.string(),
    status: z
      .enum(issuanceStatuses)
      .exclude(['REFUSED'])
      .describe('Another one than ACCEPTED only with `Prefer`, when it was decided in time.'),
    accepted_at: z.iso.datetime(),
    decided_at: z.iso.datetime().optional().describe('When it is decided.'),
    status_url: z.string().describe('Path of the status of this issuance.'),
  })
  .meta({ id: 'AssignAnswer' });

type AssignAnswer = z.output<typeof assignAnswerSchema>;

export function toAssignRequest(
  body: z.output<typeof assignBodySchema>,
  traceparent: string | undefined,
  trail: unknown[] | undefined,
): AssignRequest {
  return {
    couponId: body.coupon_id,
    userId: body.user_id,
    traceparent,
    trail,
  };
}

/** Without `decidedAt` it is under way, or not known to be decided. */
export function toAssignAnswer(
  request: AssignRequest,
  issuanceId: string,
  known: Pick<AssignAnswer, 'status' | 'decided_at'> = { status: 'ACCEPTED' },
): AssignAnswer {
  return {
    issuance_id: issuanceId,
    coupon_id: request.couponId,
    user_id: request.userId,
    status: known.status,
    accepted_at: acceptedAt(issuanceId),
    decided_at: known.decided_at,
    status_url: `/api/v1/issuances/${issuanceId}`,
  };
}

export function acceptedAt(issuanceId: string): string {
  return toIsoTime(reservedAtOf(issuanceId)!);
}
