import type { FastifyRequest } from 'fastify';
import { traceIdFor } from '../http-traces.ts';

/**
 * What a line of the log says about a request. The route instead of the path: a path has user ids in
 * it, which only stand in a line under the name that LOG_USER_IDS looks after.
 */
export function fieldsOf(request: FastifyRequest) {
  const { id, method, routeOptions, body, params } = request;
  const asked = { ...(body as Named | undefined), ...(params as Named | undefined) };
  return {
    request_id: id,
    method,
    route: routeOptions.url,
    trace_id: traceIdFor(request),
    coupon_id: Number(asked.coupon_id) || undefined,
    user_id: typeof asked.user_id === 'string' ? asked.user_id : undefined,
  };
}

/** A body that was refused may have anything in it. */
type Named = { user_id?: unknown; coupon_id?: unknown };
