import type { Failure } from '#platform/failures/failure.ts';
import { bodyBytesMax, pathParameterLengthMax, uriLengthMax } from '../limits.ts';
import { inAMoment, Problem } from './problem.ts';

/** The problems of any route, as they are said when something that was thrown means one of them. */

export function noSuchRoute(): Problem {
  return new Problem('NOT_FOUND', { detail: 'There is no such route; see /docs.' });
}

export function bodyTooLarge(): Problem {
  return new Problem('BODY_TOO_LARGE', {
    detail: `A body may have at most ${bodyBytesMax} bytes.`,
  });
}

export function uriTooLong(): Problem {
  return new Problem('URI_TOO_LONG', {
    detail: `Path and query may have at most ${uriLengthMax} characters, and a part of the path ${pathParameterLengthMax}.`,
  });
}

export function lengthRequired(): Problem {
  return new Problem('LENGTH_REQUIRED', {
    detail: 'Say how long the body is: with Content-Length, or Transfer-Encoding: chunked.',
  });
}

export function notImplemented(): Problem {
  return new Problem('NOT_IMPLEMENTED', {
    detail: 'This method, or this Transfer-Encoding, is not known to any route here.',
  });
}

/** TRAP: it is said of every route that meets MySQL away, so it must be true of a new one too. */
export function unavailable(failure?: Failure): Problem {
  const detail = 'This cannot be looked up at the moment; assigning is not affected.';
  return new Problem('UNAVAILABLE', { detail, retryAfterSeconds: inAMoment() }, failure);
}

/** Why the probes are down is said on the internal port only. */
export function notReady(probes: string[]): Problem {
  return new Problem('NOT_READY', {
    detail: `Requests should go to another process for now: ${probes.join(', ')} not ready here.`,
    retryAfterSeconds: inAMoment(),
    probes,
  });
}

export function internalError(): Problem {
  const detail = 'The error was logged under this request id.';
  return new Problem('INTERNAL', { detail, retryAfterSeconds: inAMoment() });
}
