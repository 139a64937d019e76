import type { Scope } from '#identity/api-key.ts';
import type { Failure } from '#platform/failures/failure.ts';
import { inAMoment, Problem } from '../http/problem/problem.ts';

const realm = 'Bearer realm="firstcome"';

/** No token was sent: RFC 6750 wants no error then. */
export function unauthenticated(): Problem {
  return new Problem('UNAUTHENTICATED', {
    detail: 'Send a token, or an API key, in the header Authorization: Bearer.',
    challenge: realm,
  });
}

/** `why` is a sentence of ours: nothing of the token may stand in it. */
export function invalidToken(why: string): Problem {
  return new Problem('UNAUTHENTICATED', {
    detail: why,
    challenge: `${realm}, error="invalid_token", error_description="${why}"`,
  });
}

export function malformedCredentials(): Problem {
  const detail = 'There must be one header Authorization, and not several.';
  return new Problem('INVALID_REQUEST', {
    detail,
    challenge: `${realm}, error="invalid_request", error_description="${detail}"`,
  });
}

export function scopeMissing(scope: Scope): Problem {
  return new Problem('SCOPE_MISSING', {
    detail: `The API key has not the scope ${scope}.`,
    challenge: `${realm}, error="insufficient_scope", scope="${scope}"`,
  });
}

export function otherUser(): Problem {
  return new Problem('USER_MISMATCH', {
    detail: 'user_id is not the user of the token. Leave it out, or send the sub of the token.',
  });
}

/** The same for a user that there is and for one that nobody ever was. */
export function unknownUser(): Problem {
  return new Problem('USER_NOT_FOUND', {
    detail: 'There is no such user for whoever this token is of.',
  });
}

/** Nobody is let in unchecked, and nobody is told to be somebody else. */
export function cannotTellWho(failure: Failure): Problem {
  const detail = 'It cannot be checked at the moment who asks. Send the same request again.';
  return new Problem('UNAVAILABLE', { detail, retryAfterSeconds: inAMoment() }, failure);
}

/** While a gate is shut nobody can tell whose what is not decided is. */
export function cannotTellWhose(failure: Failure): Problem {
  const detail = 'This cannot be looked up at the moment. Ask again.';
  return new Problem('UNAVAILABLE', { detail, retryAfterSeconds: inAMoment() }, failure);
}
