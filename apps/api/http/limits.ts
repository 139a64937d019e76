import { strict as assert } from 'node:assert';
import { userIdLengthMax } from '#coupon/issuance.ts';

/** Limits a client can run into; each is in docs/api.md. */
export const bodyBytesMax = 16 * 1024;
/** Of all headers of a request together, its first line included. */
export const headerBytesMax = 16 * 1024;
/** Of path and query together: what a server should take at least (RFC 9110, 4.1). */
export const uriLengthMax = 8_000;
/** How often Node looks for requests that are overdue: that much later they may be found. */
export const overdueCheckMs = 250;
/** The longest path parameter: a user id, each of its characters as four bytes in %XX. */
export const pathParameterLengthMax = 1_024;
assert(userIdLengthMax * '%F0%9F%8E%9F'.length <= pathParameterLengthMax);
