import { issuanceIdSchema } from '#coupon/issuance.ts';
import type { FastifyRequest } from 'fastify';
import { unknownIssuance } from '../issuance/issuance-problems.ts';
import type { Caller } from './caller.ts';
import type { IdentityMetrics } from './identity-metrics.ts';
import { otherUser, scopeMissing, unknownUser } from './identity-problems.ts';
import type { Ownership } from './ownership.ts';
import { isForNamedUser, neededScope } from './route-rules.ts';

interface Asked {
  user_id?: unknown;
  issuance_id?: unknown;
}

/**
 * What who asks may ask for, by what every route calls a user and an issuance: `user_id` of the body and
 * of the path, `issuance_id` of the path.
 */
export class Rights {
  constructor(
    private readonly ownership: Ownership,
    private readonly metrics: IdentityMetrics,
  ) {}

  /** Throws SCOPE_MISSING, USER_MISMATCH, USER_NOT_FOUND and ISSUANCE_NOT_FOUND. */
  async check(request: FastifyRequest): Promise<void> {
    const { caller } = request;
    if (caller === undefined) {
      return;
    }
    if (caller.kind === 'machine') {
      this.checkScope(caller, request);
    } else {
      if (isForNamedUser(request.routeOptions.url)) {
        this.checkBody(caller.userId, request.body);
      }
      await this.checkPath(caller.userId, request.params as Asked);
    }
  }

  private checkScope(
    { scopes }: Extract<Caller, { kind: 'machine' }>,
    { method, routeOptions }: FastifyRequest,
  ): void {
    const scope = neededScope(method, routeOptions.url);
    if (scope !== undefined && !scopes.has(scope)) {
      this.metrics.refuse('scope');
      throw scopeMissing(scope);
    }
  }

  /** A body that names no user is of the user of the token; one that cannot be read is told so later. */
  private checkBody(userId: string, body: unknown): void {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      return;
    }
    const asked = body as Asked;
    if (asked.user_id === undefined) {
      asked.user_id = userId;
    } else if (typeof asked.user_id === 'string' && asked.user_id !== userId) {
      this.metrics.refuse('other_user');
      throw otherUser();
    }
  }

  private async checkPath(userId: string, { user_id: ofUser, issuance_id: id }: Asked) {
    if (ofUser !== undefined && ofUser !== userId) {
      this.metrics.refuse('other_user');
      throw unknownUser();
    }
    const issuanceId = id === undefined ? undefined : issuanceIdSchema.safeParse(id).data;
    if (issuanceId !== undefined && !(await this.ownership.isOf(userId, issuanceId))) {
      this.metrics.refuse('other_user');
      throw unknownIssuance(issuanceId);
    }
  }
}
