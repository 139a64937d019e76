import { Injectable } from '@nestjs/common';
import type { AssignOutcome } from '#admission/assign-coupon.ts';
import { AssignCoupon } from '#admission/assign-coupon.ts';
import type { AssignRequest } from '#coupon/issuance-request.ts';
import { unknownCoupon } from '../coupon/coupon-problems.ts';
import { AssignMetrics } from './assign-metrics.ts';
import { AssignWithoutGate } from './assign-without-gate.ts';
import { Idempotency } from './idempotency.ts';
import { assignProblem } from './issuance-problems.ts';

export type Accepted = Extract<AssignOutcome, { kind: 'accepted' }>;

/** What every assign goes through, however its client would like to be answered. */
@Injectable()
export class AcceptAssign {
  constructor(
    private readonly assignCoupon: AssignCoupon,
    private readonly withoutGate: AssignWithoutGate,
    private readonly idempotency: Idempotency,
    private readonly metrics: AssignMetrics,
  ) {}

  /** Resolves once it is safe: what was accepted will be issued. Throws the problem of anything else. */
  async accept(request: AssignRequest, idempotencyKey?: string): Promise<Accepted> {
    const held =
      idempotencyKey === undefined
        ? undefined
        : await this.idempotency.hold(idempotencyKey, request);
    const outcome = await this.withoutGate.explain(
      request,
      held ?? (await this.assignCoupon.assign(request)),
    );
    this.metrics.record(request.couponId, outcome);
    switch (outcome.kind) {
      case 'accepted':
        return outcome;
      case 'absent':
        throw unknownCoupon(request.couponId);
      default:
        throw assignProblem(outcome, request.couponId);
    }
  }
}
