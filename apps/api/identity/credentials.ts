import type { IncomingMessage } from 'node:http';
import { timesGiven } from '../http/request/raw-headers.ts';

/** The scheme in any case (RFC 9110, 11.1), the token as RFC 6750 has it. */
const bearer = /^bearer +([\w\-.~+/]+=*) *$/i;

/** The token of a header Authorization; nothing where it has another scheme, or is none. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : bearer.exec(authorization)?.[1];
}

/** Of several Node takes the first one, and a proxy in front maybe another. */
export function authorizationCount({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): number {
  return timesGiven(rawHeaders, 'authorization');
}
