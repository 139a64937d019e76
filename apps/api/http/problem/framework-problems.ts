import type { Failure } from '#platform/failures/failure.ts';
import { bodyBytesMax, pathParameterLengthMax } from '../limits.ts';
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
    detail: `A part of a path may have at most ${pathParameterLengthMax} characters.`,
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
