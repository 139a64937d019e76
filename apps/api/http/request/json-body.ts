import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../problem/problem.ts';

/** A parameter without meaning for JSON, which is UTF-8 always: it may say so, and nothing else. */
const jsonInUtf8 = /^application\/json\s*(;\s*(charset\s*=\s*("utf-?8"|utf-?8)\s*)?)*$/i;

/**
 * The only bodies that the api reads: JSON in UTF-8, each name given once. What is decoded leniently
 * makes one out of two: in EUC-KR two users whose bytes are not UTF-8 would both become `\ufffd\ufffd`,
 * and of a `user_id` given twice others may read the first one.
 */
export function readJsonBodies(fastify: FastifyInstance): void {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    (request, body, done) => {
      const problem = problemOf(request, body);
      if (problem !== undefined) {
        done(problem);
        return;
      }
      if (body.length === 0 && request.routeOptions.config.isBodyOptional === true) {
        done(null);
        return;
      }
      // It has a callback, and calls it before it returns.
      void parse(request, body.toString('utf8'), (error, value) => {
        if (error !== null) {
          done(invalid('The body is not valid JSON.'));
        } else if (hasRepeatedNames(body, value)) {
          done(invalid('The body gives a name more than once in the same object.'));
        } else {
          done(null, value);
        }
      });
    },
  );
}

function problemOf({ headers }: FastifyRequest, body: Buffer): Problem | undefined {
  const { 'content-type': type = '', 'content-encoding': encoding } = headers;
  if (type !== 'application/json' && !jsonInUtf8.test(type)) {
    return unsupportedMediaType();
  }
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    return new Problem('UNSUPPORTED_MEDIA_TYPE', {
      detail: 'Send the body as it is, without Content-Encoding.',
    });
  }
  if (!isUtf8(body)) {
    return invalid('The body is not valid UTF-8.');
  }
  return undefined;
}

export function unsupportedMediaType(): Problem {
  return new Problem('UNSUPPORTED_MEDIA_TYPE', {
    detail: 'Send the body in UTF-8, with Content-Type: application/json.',
  });
}

function invalid(detail: string): Problem {
  return new Problem('INVALID_REQUEST', { detail });
}

/** `JSON.parse` keeps the last one of each name, so that fewer are left than were written. */
function hasRepeatedNames(json: Buffer, parsed: unknown): boolean {
  return namesWritten(json) !== namesKept(parsed);
}

const [quote, backslash, colon] = Buffer.from('"\\:') as unknown as [number, number, number];

/** In a text that is valid JSON each name is followed by a colon, and no other is outside of strings. */
function namesWritten(json: Buffer): number {
  let names = 0;
  let isInString = false;
  for (let i = 0; i < json.length; i += 1) {
    const byte = json[i];
    if (byte === quote) {
      isInString = !isInString;
    } else if (byte === backslash) {
      i += 1;
    } else if (byte === colon && !isInString) {
      names += 1;
    }
  }
  return names;
}

function namesKept(parsed: unknown): number {
  const values = typeof parsed === 'object' && parsed !== null ? Object.values(parsed) : [];
  // Nearly every body is one flat object.
  const isFlat = !Array.isArray(parsed) && values.every((value) => typeof value !== 'object');
  return isFlat ? values.length : namesKeptAtAnyDepth(parsed);
}

/** Not recursive: 16 KiB are enough for thousands of levels. */
function namesKeptAtAnyDepth(parsed: unknown): number {
  const values = [parsed];
  let names = 0;
  for (const value of values) {
    if (typeof value === 'object' && value !== null) {
      const inner: unknown[] = Object.values(value);
      names += Array.isArray(value) ? 0 : inner.length;
      inner.forEach((each) => values.push(each));
    }
  }
  return names;
}
