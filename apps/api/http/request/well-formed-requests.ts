import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { Problem } from '../problem/problem.ts';

/** Node hands on bytes beyond ASCII, each as a character of its own: that would be another user. */
const neverInTarget = /[^\x21-\x7e]|#/;

/** Refuses what Node's parser and the router let pass, each in its own reading. */
export function refuseMalformedRequests(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', ({ raw }, _reply, done) => done(problemOf(raw)));
}

function problemOf({ headers, httpVersion, url = '' }: IncomingMessage): Problem | undefined {
  if (headers.host === undefined && httpVersion === '1.1') {
    return new Problem('INVALID_REQUEST', { detail: 'The header Host is missing.' });
  }
  const { 'transfer-encoding': coding = 'chunked' } = headers;
  if (coding.toLowerCase() !== 'chunked') {
    return new Problem('INVALID_REQUEST', {
      detail: 'The only Transfer-Encoding that is understood is chunked.',
    });
  }
  if (neverInTarget.test(url) || !isDecodable(url)) {
    return malformedTarget();
  }
  return undefined;
}

/** Also of a query, which would be taken as it stands where it cannot be decoded. */
function isDecodable(url: string): boolean {
  try {
    return !url.includes('%') || decodeURIComponent(url) !== '';
  } catch {
    return false;
  }
}

export function malformedTarget(): Problem {
  return new Problem('INVALID_REQUEST', {
    detail: 'The path or the query is not valid: all but ASCII is percent-encoded UTF-8 there.',
  });
}
