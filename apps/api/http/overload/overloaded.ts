import { randomUUID } from 'node:crypto';
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { NotSentError } from '#admission/group-commit.ts';
import type { Failure, FailureCause } from '#platform/failures/failure.ts';
import { Problem, problemDocument, problemKinds, retryHeaders } from '../problem/problem.ts';

export const retryAfterLeastSeconds = 1;
const retrySpreadSeconds = 3;

/** The answer to a request that is one too many. */
export function overloaded(failure?: Failure): Problem {
  const detail = 'More requests came in than can be served. Nothing was done about this one.';
  return new Problem('OVERLOADED', { detail, retryAfterSeconds: retryAfterSeconds() }, failure);
}

/** OVERLOADED for what never left this process, since no trip was free in time; else the error as it is. */
export function overloadedIfNotSent(error: unknown, cause: FailureCause): unknown {
  return error instanceof NotSentError ? overloaded({ cause, error }) : error;
}

const anyId = randomUUID();
const [head = '', tail = ''] = JSON.stringify(problemDocument(anyId, overloaded())).split(anyId);
const contentLength = Buffer.byteLength(head + anyId + tail);

/** Sends the same answer past the framework: sending away must cost next to nothing. */
export function sendOverloaded(response: ServerResponse, headers: OutgoingHttpHeaders = {}): void {
  response.writeHead(problemKinds.OVERLOADED.status, {
    ...headers,
    ...retryHeaders(retryAfterSeconds()),
    'content-type': 'application/problem+json',
    'content-length': contentLength,
  });
  response.end(head + randomUUID() + tail);
}

/** Those sent away together must not come back together. */
function retryAfterSeconds(): number {
  return retryAfterLeastSeconds + Math.random() * retrySpreadSeconds;
}
