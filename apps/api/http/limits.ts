import { strict as assert } from 'node:assert';
import { userIdLengthMax } from '#coupon/issuance.ts';

/** Limits a client can run into; each is in docs/api.md. */
export const bodyBytesMax = 16 * 1024;
/** Of all headers of a request together, its first line included. */
export const headerBytesMax = 16 * 1024;
/** From the first byte of a request to its last; on a new connection, from its beginning. */
export const requestTimeoutMs = 10_000;
/** How often Node looks for requests that are overdue: that much later they may be found. */
export const overdueCheckMs = 250;
/** For how long an answer may lie unread in a connection. */
export const answerTimeoutMs = 30_000;
/** How long a connection may be idle between two requests. */
export const idleTimeoutMs = 72_000;
/** The longest path parameter: a user id, each of its characters as four bytes in %XX. */
export const pathParameterLengthMax = 1_024;
assert(userIdLengthMax * '%F0%9F%8E%9F'.length <= pathParameterLengthMax);
