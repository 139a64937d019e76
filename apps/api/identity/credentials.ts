import type { IncomingMessage } from 'node:http';

/** The scheme in any case (RFC 9110, 11.1), the token as RFC 6750 has it. */
const bearer = /^bearer +([\w\-.~+/]+=*) *$/i;
const name = 'authorization';

/** The token of a header Authorization; nothing where it has another scheme, or is none. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : bearer.exec(authorization)?.[1];
}

/** Of several Node takes the first one, and a proxy in front maybe another. */
export function authorizationCount({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const each = rawHeaders[i]!;
    count += each.length === name.length && each.toLowerCase() === name ? 1 : 0;
  }
  return count;
}
