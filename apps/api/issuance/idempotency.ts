import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { AssignOutcome } from '#admission/assign-coupon.ts';
import { notReserved } from '#admission/assign-coupon.ts';
import type { AssignRequest } from '#coupon/issuance-request.ts';
import { IdempotencyKeys } from '#gate/idempotency-keys.ts';
import { Problem } from '../http/problem/problem.ts';

export const keyLengthMax = 255;

/** A string as RFC 9651 writes it, which the draft of the header asks for. */
const quoted = /^"((?:[ !#-[\]-~]|\\["\\])+)"$/;
/** As most clients send it. A comma stands between the values of a header that came twice. */
const bare = /^[!#-+\-.-:<-[\]-~]+$/;

/**
 * `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): of one user, for one request. It only
 * guards against a key that is used for two: that a repeat gets the same issuance, and that nobody gets
 * two, is so by user and coupon, with a key and without. So no answer is kept, and a repeat never gets
 * an old failure.
 */
@Injectable()
export class Idempotency {
  constructor(private readonly keys: IdempotencyKeys) {}

  /**
   * Before anything else is done. Throws INVALID_REQUEST and IDEMPOTENCY_KEY_REUSED. An outcome where
   * Redis cannot tell: it is the one of the gate, which would not admit anybody either.
   */
  async hold(
    header: string,
    { userId, couponId }: AssignRequest,
  ): Promise<AssignOutcome | undefined> {
    const key = readIdempotencyKey(header);
    if (key === undefined) {
      throw malformedKey();
    }
    let usedFor: number;
    try {
      usedFor = await this.keys.use(userId, key, couponId);
    } catch (error) {
      return notReserved(error);
    }
    if (usedFor !== couponId) {
      throw keyReused();
    }
    return undefined;
  }
}

/** The header as it came; values of one that came twice are joined. */
export function idempotencyKeyOf({ headers }: FastifyRequest): string | undefined {
  return headers['idempotency-key']?.toString();
}

/** `undefined` when it is none. Quoted and bare, it is the same key. */
export function readIdempotencyKey(header: string): string | undefined {
  const [, inQuotes] = quoted.exec(header) ?? [];
  const key = inQuotes?.replaceAll(/\\(.)/g, '$1') ?? (bare.test(header) ? header : '');
  return key.length >= 1 && key.length <= keyLengthMax ? key : undefined;
}

function malformedKey(): Problem {
  return new Problem('INVALID_REQUEST', {
    detail: 'The header Idempotency-Key is not valid.',
    errors: [
      {
        field: 'Idempotency-Key',
        message: `must be one string of 1 to ${keyLengthMax} printable ASCII characters, in double quotes or without`,
      },
    ],
  });
}

export function keyReused(): Problem {
  return new Problem('IDEMPOTENCY_KEY_REUSED', {
    detail: 'This user has sent this Idempotency-Key with another body before.',
  });
}
