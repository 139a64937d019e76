import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { uriLengthMax } from '../limits.ts';
import { lengthRequired, notImplemented, uriTooLong } from '../problem/framework-problems.ts';
import { Problem } from '../problem/problem.ts';
import { timesGiven } from './raw-headers.ts';

/** Node hands on bytes beyond ASCII, each as a character of its own: that would be another user. */
const neverInTarget = /[^\x21-\x7e]|#/;
/** RFC 9110, 7.2: a name, an address or, where there is none, nothing; and a port. */
const wellFormedHost = /^(?:[\w.~!$&'()*+,;=%-]*|\[[\da-fA-Fv:.]+\])(?::\d*)?$/;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A request that says nothing of a body has none. */
    isBodyOptional?: boolean;
  }
}

/** Refuses what Node's parser and the router let pass, each in its own reading. */
export function refuseMalformedRequests(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', ({ raw, query }, _reply, done) =>
    done(hostProblem(raw) ?? targetProblem(raw) ?? codingProblem(raw) ?? queryProblem(query)),
  );
  // After it is known that there is such a route.
  fastify.addHook('preParsing', ({ raw, is404, routeOptions }, _reply, _payload, done) =>
    done(
      is404 || routeOptions.config.isBodyOptional || hasKnownLength(raw) ? null : lengthRequired(),
    ),
  );
}

/** zod passes over this one name where it refuses all others that it does not know. */
function queryProblem(query: unknown): Problem | undefined {
  return Object.hasOwn(query as object, '__proto__')
    ? invalid('The parameter `__proto__` is not known.')
    : undefined;
}

/** RFC 9112, 3.2: with two of them, whoever stands before us may have gone by the other one. */
function hostProblem({ headers, httpVersion, rawHeaders }: IncomingMessage): Problem | undefined {
  const { host } = headers;
  if (host === undefined) {
    return httpVersion === '1.1' ? invalid('The header Host is missing.') : undefined;
  }
  return wellFormedHost.test(host) && timesGiven(rawHeaders, 'host') === 1
    ? undefined
    : invalid('The header Host is not valid.');
}

function targetProblem({ url = '' }: IncomingMessage): Problem | undefined {
  if (url.length > uriLengthMax) {
    return uriTooLong();
  }
  return neverInTarget.test(url) || !isDecodable(url) ? malformedTarget() : undefined;
}

/** Also of a query, which would be taken as it stands where it cannot be decoded. */
function isDecodable(url: string): boolean {
  try {
    return !url.includes('%') || decodeURIComponent(url) !== '';
  } catch {
    return false;
  }
}

/** RFC 9112, 6.1 to 6.3. */
function codingProblem({ headers, httpVersion }: IncomingMessage): Problem | undefined {
  const { 'transfer-encoding': coding } = headers;
  if (coding === undefined) {
    return undefined;
  }
  if (httpVersion !== '1.1') {
    return invalid('There is no Transfer-Encoding in HTTP/1.0.');
  }
  if (coding.toLowerCase() === 'chunked') {
    return undefined;
  }
  // Without chunked at its end, nobody knows where the body ends.
  return /,\s*chunked$/i.test(coding)
    ? notImplemented()
    : invalid('The last Transfer-Encoding must be chunked.');
}

function hasKnownLength({ headers, method }: IncomingMessage): boolean {
  return (
    method !== 'POST' ||
    headers['content-length'] !== undefined ||
    headers['transfer-encoding'] !== undefined
  );
}

function invalid(detail: string): Problem {
  return new Problem('INVALID_REQUEST', { detail });
}

export function malformedTarget(): Problem {
  return invalid(
    'The path or the query is not valid: all but ASCII is percent-encoded UTF-8 there.',
  );
}
