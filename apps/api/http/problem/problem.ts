import { HttpException } from '@nestjs/common';
import type { RefusalReason } from '#coupon/issuance.ts';
import type { Failure } from '#platform/failures/failure.ts';
import { uncached } from '../entity-tag/entity-tag.ts';

/** Every `code` a client can meet, with its status and title. Codes never change their meaning. */
export const problemKinds = {
  INVALID_REQUEST: { status: 400, title: 'The request is not valid' },
  UNAUTHENTICATED: { status: 401, title: 'It is not known who asks' },
  SCOPE_MISSING: { status: 403, title: 'The API key may not do this' },
  USER_MISMATCH: { status: 403, title: 'The user is not the one of the token' },
  COUPON_NOT_FOUND: { status: 404, title: 'No such coupon' },
  ISSUANCE_NOT_FOUND: { status: 404, title: 'No such issuance' },
  USER_NOT_FOUND: { status: 404, title: 'No such user' },
  NOT_FOUND: { status: 404, title: 'No such route' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'This route does not know this method' },
  REQUEST_TIMEOUT: { status: 408, title: 'The request took too long to arrive' },
  NOT_OPEN: { status: 409, title: 'The coupon has not opened yet' },
  CLOSED: { status: 409, title: 'The coupon is closed' },
  PAUSED: { status: 409, title: 'The coupon is paused' },
  SOLD_OUT: { status: 409, title: 'Nothing is left' },
  NOT_ISSUED_YET: { status: 409, title: 'Not decided yet' },
  REFUSED: { status: 409, title: 'The issuance was refused' },
  ALREADY_REDEEMED: { status: 409, title: 'It was redeemed before' },
  EXPIRED: { status: 409, title: 'It is not valid any more' },
  LENGTH_REQUIRED: { status: 411, title: 'The length of the body is missing' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  URI_TOO_LONG: { status: 414, title: 'The path is too long' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The body must be application/json in UTF-8' },
  EXPECTATION_FAILED: { status: 417, title: 'The expectation cannot be met' },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    title: 'The idempotency key was used for another request',
  },
  HEADERS_TOO_LARGE: { status: 431, title: 'The headers are too large' },
  RATE_LIMITED: { status: 429, title: 'Too many requests' },
  OVERLOADED: { status: 503, title: 'Too much is asked at once' },
  RECOVERING: { status: 503, title: 'The stock is being recovered' },
  UNCONFIRMED: { status: 503, title: 'Not confirmed yet' },
  UNAVAILABLE: { status: 503, title: 'Not available right now' },
  NOT_READY: { status: 503, title: 'This process is not ready' },
  INTERNAL: { status: 500, title: 'Something went wrong on our side' },
  NOT_IMPLEMENTED: { status: 501, title: 'This server does not know how to do that' },
  HTTP_VERSION_NOT_SUPPORTED: { status: 505, title: 'This version of HTTP is not spoken here' },
} as const;

export type ProblemCode = keyof typeof problemKinds;

export interface FieldError {
  field: string;
  message: string;
}

export interface ProblemDetails {
  detail: string;
  /** When the same request may succeed. Without it a repeat is of no use, and clients are told so. */
  retryAfterSeconds?: number;
  /** The methods that the route knows; sent as the Allow header. */
  allow?: readonly string[];
  /** What would be taken instead; sent as the WWW-Authenticate header. */
  challenge?: string;
  errors?: FieldError[];
  issuance_id?: string;
  /** Of what was refused. */
  reason?: RefusalReason;
  opens_at?: string;
  redeemed_at?: string;
  valid_until?: string;
  /** Which limits were passed. */
  violated_policies?: string[];
  /** Names of the probes that are down. */
  probes?: string[];
}

/** An answer that is not a success, as `application/problem+json` (RFC 9457). */
export class Problem extends HttpException {
  constructor(
    readonly code: ProblemCode,
    readonly details: ProblemDetails,
    /** For metrics and log; no client is told. */
    readonly failure?: Failure,
  ) {
    super(details.detail, problemKinds[code].status);
  }
}

/** Clients that repeat by themselves wait no longer than that: told to, they would come at once. */
const obeyedMostSeconds = 60;

/** What is said beside the document. */
export function problemHeaders({ code, details }: Problem): Record<string, string> {
  const { retryAfterSeconds, allow, challenge } = details;
  return {
    'content-type': 'application/problem+json',
    // A cache would keep a 404 for as long as it likes.
    ...uncached,
    ...(code === 'RATE_LIMITED' ? { 'x-should-retry': 'true' } : {}),
    ...retryHeaders(retryAfterSeconds),
    ...(allow === undefined ? {} : { allow: allow.join(', ') }),
    ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
  };
}

/**
 * The manners of SDKs that repeat errors by themselves: they wait for `retry-after-ms`, or else for
 * `Retry-After`, and do not repeat what says `x-should-retry: false`.
 */
export function retryHeaders(afterSeconds: number | undefined): Record<string, string> {
  const final = { 'x-should-retry': 'false' };
  if (afterSeconds === undefined) {
    return final;
  }
  return {
    'retry-after': String(Math.ceil(afterSeconds)),
    'retry-after-ms': String(Math.ceil(afterSeconds * 1_000)),
    ...(afterSeconds > obeyedMostSeconds ? final : {}),
  };
}

/** Of a failure that is over in a moment: who met it together should not come back together. */
export function inAMoment(): number {
  return 0.5 + Math.random() / 2;
}

export function problemDocument(requestId: string, { code, details }: Problem): object {
  // TRAP: all that `details` has is shown to the client, so nothing internal belongs into it.
  const { retryAfterSeconds: _, allow: __, challenge: ___, ...shown } = details;
  return {
    type: `urn:firstcome:problem:${code.toLowerCase()}`,
    ...problemKinds[code],
    code,
    ...shown,
    request_id: requestId,
  };
}
