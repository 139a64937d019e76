import { recovering, unknownCoupon } from '../../coupon/coupon-problems.ts';
import { keyReused } from '../../issuance/idempotency.ts';
import {
  assignProblem,
  refusedAfterAll,
  unknownIssuance,
} from '../../issuance/issuance-problems.ts';
import {
  otherUser,
  scopeMissing,
  unauthenticated,
  unknownUser,
} from '../../identity/identity-problems.ts';
import { notIssuedYet, redeemProblem } from '../../redemption/redemption-problems.ts';
import { couponIdExample, issuanceIdExample, userIdExample } from '../examples.ts';
import {
  expectationFailed,
  headersTooLarge,
  requestTimeout,
  unknownVersion,
} from '../connection/broken-connections.ts';
import {
  bodyTooLarge,
  internalError,
  lengthRequired,
  noSuchRoute,
  notImplemented,
  notReady,
  unavailable,
  uriTooLong,
} from './framework-problems.ts';
import { rateLimited } from '../../limits/request-limit.ts';
import { unsupportedMediaType } from '../request/json-body.ts';
import { methodNotAllowed } from '../request/known-methods.ts';
import { overloaded } from '../overload/overloaded.ts';
import type { ProblemCode } from './problem.ts';
import { Problem } from './problem.ts';

const issuanceExample = {
  issuanceId: issuanceIdExample,
  couponId: couponIdExample,
  userId: userIdExample,
  decidedAt: Date.UTC(2026, 10, 22, 9),
};

/** Of each code one answer as it is sent, by those who make it. */
export const problemExamples: Readonly<Record<ProblemCode, Problem>> = {
  INVALID_REQUEST: new Problem('INVALID_REQUEST', {
    detail: 'See `errors` for each field that is wrong.',
    errors: [{ field: 'coupon_id', message: 'must be a whole number' }],
  }),
  UNAUTHENTICATED: unauthenticated(),
  SCOPE_MISSING: scopeMissing('assign'),
  USER_MISMATCH: otherUser(),
  COUPON_NOT_FOUND: unknownCoupon(couponIdExample),
  ISSUANCE_NOT_FOUND: unknownIssuance(issuanceIdExample),
  USER_NOT_FOUND: unknownUser(),
  NOT_FOUND: noSuchRoute(),
  METHOD_NOT_ALLOWED: methodNotAllowed(['POST']),
  REQUEST_TIMEOUT: requestTimeout(),
  NOT_OPEN: assignProblem(
    { kind: 'not_open', opensAt: Date.UTC(2026, 10, 22, 9), now: Date.UTC(2026, 10, 22, 8, 59) },
    couponIdExample,
  ),
  CLOSED: assignProblem({ kind: 'closed' }, couponIdExample),
  PAUSED: assignProblem({ kind: 'paused' }, couponIdExample),
  SOLD_OUT: assignProblem({ kind: 'sold_out' }, couponIdExample),
  NOT_ISSUED_YET: notIssuedYet(issuanceIdExample, 0.64),
  ALREADY_REDEEMED: redeemProblem({
    ...issuanceExample,
    status: 'REDEEMED',
    redeemedAt: Date.UTC(2026, 10, 24, 18, 30),
  }),
  EXPIRED: redeemProblem({
    ...issuanceExample,
    status: 'EXPIRED',
    validUntil: Date.UTC(2026, 11, 24),
  }),
  LENGTH_REQUIRED: lengthRequired(),
  REFUSED: refusedAfterAll(issuanceIdExample, 'DUPLICATE'),
  BODY_TOO_LARGE: bodyTooLarge(),
  URI_TOO_LONG: uriTooLong(),
  UNSUPPORTED_MEDIA_TYPE: unsupportedMediaType(),
  EXPECTATION_FAILED: expectationFailed(),
  HEADERS_TOO_LARGE: headersTooLarge(),
  IDEMPOTENCY_KEY_REUSED: keyReused(),
  RATE_LIMITED: rateLimited('user', 7),
  OVERLOADED: overloaded(),
  RECOVERING: recovering(),
  UNCONFIRMED: assignProblem(
    { kind: 'unconfirmed', issuanceId: issuanceIdExample, failure: { cause: 'log_timeout' } },
    couponIdExample,
  ),
  UNAVAILABLE: unavailable(),
  NOT_READY: notReady(['kafka']),
  INTERNAL: internalError(),
  NOT_IMPLEMENTED: notImplemented(),
  HTTP_VERSION_NOT_SUPPORTED: unknownVersion(),
};
