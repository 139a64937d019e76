import type { FastifyInstance, FastifyRequest } from 'fastify';
import { userIdSchema } from '#coupon/issuance.ts';
import type { GateConnection } from '#gate/gate-connection.ts';
import { redisFailure } from '#gate/checks/redis-failure.ts';
import type { Config } from '#platform/config/config.ts';
import type { Failures } from '#platform/failures/failures.ts';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';
import { isForNamedUser } from '../identity/route-rules.ts';
import { countedAddress } from './client-address.ts';
import type { Counted } from './request-limit.ts';
import { RequestLimit } from './request-limit.ts';

export type LimitsConfig = Pick<
  Config,
  'LIMIT_PER_USER' | 'LIMIT_PER_ADDRESS' | 'LIMIT_WINDOW_S' | 'GATE_KEY_PREFIX'
>;

/**
 * Refuses with 429 what one user, or one address, asks beyond its limit. A limit that is not set costs
 * nothing; one that is, a trip to Redis for each request. Health checks are not counted.
 */
export function limitRequests(
  fastify: FastifyInstance,
  config: LimitsConfig,
  connection: GateConnection,
  { observed }: Telemetry,
  failures: Failures,
): void {
  const open = (who: Counted, limit: number): RequestLimit | undefined =>
    limit === 0
      ? undefined
      : new RequestLimit(who, {
          connection,
          keyPrefix: `${config.GATE_KEY_PREFIX}limit:${who}`,
          limit,
          windowS: config.LIMIT_WINDOW_S,
          onAway: (error) => failures.note('LIMITED_APART', redisFailure(error)),
        });

  const perAddress = open('address', config.LIMIT_PER_ADDRESS);
  if (perAddress !== undefined) {
    // Before a body is read, and whatever becomes of the request.
    fastify.addHook('onRequest', async (request, reply) => {
      const problem = isCounted(request) && (await perAddress.take(addressOf(request), reply));
      if (problem) {
        throw problem;
      }
    });
  }
  const perUser = open('user', config.LIMIT_PER_USER);
  if (perUser !== undefined) {
    fastify.addHook('preHandler', async (request, reply) => {
      const userId = userOf(request);
      const problem = userId !== undefined && (await perUser.take(userId, reply));
      if (problem) {
        throw problem;
      }
    });
  }

  observed.counter(
    'firstcome_requests_limited_total',
    'Requests answered 429 RATE_LIMITED.',
    (observe) => {
      observe(perUser?.refused ?? 0, { by: 'user' });
      observe(perAddress?.refused ?? 0, { by: 'address' });
    },
  );
}

function isCounted({ method, url }: FastifyRequest): boolean {
  return !url.startsWith('/health') && method !== 'OPTIONS';
}

/** What a trusted proxy says; its own address where it says what is none. */
function addressOf({
  ip,
  socket,
}: { ip: string | undefined } & Pick<FastifyRequest, 'socket'>): string {
  return countedAddress(ip ?? '') ?? countedAddress(socket.remoteAddress ?? '') ?? 'unknown';
}

/** Whom a request is for; nobody is counted for what others may say of him elsewhere. */
function userOf({ body, params, routeOptions }: FastifyRequest): string | undefined {
  const naming = isForNamedUser(routeOptions.url) ? body : params;
  // As long as a user id may be, and no longer: it becomes a key.
  return userIdSchema.safeParse((naming as Named | null | undefined)?.user_id).data;
}

type Named = { user_id?: unknown };
