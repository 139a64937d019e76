import { strict as assert } from 'node:assert';
import { userIdLengthMax } from '#coupon/issuance.ts';

/** Limits a client can run into; each is in the OpenAPI document or the README. */
export const bodyBytesMax = 16 * 1024;
export const requestTimeoutMs = 10_000;
/** The longest path parameter: a user id, each of its characters as four bytes in %XX. */
export const pathParameterLengthMax = 1_024;
assert(userIdLengthMax * '%F0%9F%8E%9F'.length <= pathParameterLengthMax);
