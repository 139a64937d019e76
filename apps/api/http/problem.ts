import { HttpException } from '@nestjs/common';

/** Every `code` a client can meet, with its status and title. Codes never change their meaning. */
export const problemKinds = {
  INVALID_REQUEST: { status: 400, title: 'The request is not valid' },
  COUPON_NOT_FOUND: { status: 404, title: 'No such coupon' },
  ISSUANCE_NOT_FOUND: { status: 404, title: 'No such issuance' },
  NOT_FOUND: { status: 404, title: 'No such route' },
  NOT_OPEN: { status: 409, title: 'The coupon has not opened yet' },
  CLOSED: { status: 409, title: 'The coupon is closed' },
  PAUSED: { status: 409, title: 'The coupon is paused' },
  SOLD_OUT: { status: 409, title: 'Nothing is left' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The body must be application/json' },
  OVERLOADED: { status: 503, title: 'Too much is asked at once' },
  RECOVERING: { status: 503, title: 'The stock is being recovered' },
  UNCONFIRMED: { status: 503, title: 'Not confirmed yet' },
  UNAVAILABLE: { status: 503, title: 'Not available right now' },
  INTERNAL: { status: 500, title: 'Something went wrong on our side' },
} as const;

export type ProblemCode = keyof typeof problemKinds;

export interface FieldError {
  field: string;
  message: string;
}

export interface ProblemDetails {
  detail: string;
  /** In whole seconds; sent as the Retry-After header. */
  retryAfterSeconds?: number;
  errors?: FieldError[];
  issuance_id?: string;
  opens_at?: string;
}

/** An answer that is not a success, as `application/problem+json` (RFC 9457). */
export class Problem extends HttpException {
  constructor(
    readonly code: ProblemCode,
    readonly details: ProblemDetails,
  ) {
    super(details.detail, problemKinds[code].status);
  }
}
