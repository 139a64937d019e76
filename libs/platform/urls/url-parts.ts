import { wholeNumberIn } from '../text/decimals.ts';

/** Names the part of a URL that is wrong, and never its value: it may be a password. */
export class UrlError extends Error {
  override readonly name = 'UrlError';
}

/**
 * The parts that URLs of stores have in common, decoded. Stricter than WHATWG where that would guess:
 * it trims blanks, drops ports it does not like, and takes nearly anything for a host.
 */
export interface UrlParts {
  scheme: string;
  /** Undefined where the URL has none. IPv6 comes without brackets. */
  host: string | undefined;
  port: number | undefined;
  username: string | undefined;
  password: string | undefined;
  /** Without the first slash. */
  path: string;
  query: ReadonlyMap<string, string>;
}

const shape =
  /^(?<scheme>[a-z][a-z0-9+.-]*):\/\/(?:(?<user>[^:@/?#]*)(?::(?<password>[^@/?#]*))?@)?(?<host>\[[^\]]*\]|[^:@/?#]*)(?::(?<port>[^/?#@]*))?(?:\/(?<path>[^?#]*))?(?:\?(?<query>[^#]*))?(?<fragment>#.*)?$/is;
const hostName = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9.])?$/i;

/** Throws `UrlError` when a part cannot be understood. */
export function readUrl(url: string, schemes: readonly string[]): UrlParts {
  const parts = shape.exec(url)?.groups;
  const scheme = parts?.['scheme']?.toLowerCase();
  if (scheme !== undefined && !schemes.includes(scheme)) {
    const known = schemes.map((name) => `${name}://`).join(' or ');
    throw new UrlError(`must be a ${known} URL`);
  }
  if (parts === undefined || scheme === undefined) {
    throw new UrlError(
      `must be ${schemes[0]}://user:password@host:port/…, with @ : / ? # and % in user and password percent-encoded`,
    );
  }
  if (/\s/.test(url)) {
    throw new UrlError('must not have blanks in it');
  }
  if (parts['fragment'] !== undefined) {
    throw new UrlError('must not have a part behind #: percent-encode a # in a password as %23');
  }
  const username = decoded('user', parts['user']);
  const password = decoded('password', parts['password']);
  return {
    scheme,
    host: readHost(parts['host']!),
    port: readPort(parts['port']),
    username: username === '' ? undefined : username,
    password: password === '' ? undefined : password,
    path: decoded('path', parts['path']) ?? '',
    query: readQuery(parts['query'] ?? ''),
  };
}

/** What is left of a query once everything that is understood was taken must not be anything. */
export function refuseOthers(query: ReadonlyMap<string, string>, known: readonly string[]): void {
  const unknown = [...query.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const named = /^[\w-]{1,32}$/.test(unknown) ? `the parameter ${unknown}` : 'a parameter';
    throw new UrlError(`${named} is not understood; ${listed(known)}`);
  }
}

function listed(known: readonly string[]): string {
  return known.length === 0 ? 'it may have none' : `known are ${known.join(', ')}`;
}

/** Throws unless it is the name of a host, or an address; without brackets. */
export function readHost(host: string): string | undefined {
  if (host === '') {
    return undefined;
  }
  const isV6 = host.startsWith('[');
  if (isV6 ? !isAddressV6(host) : !hostName.test(host)) {
    throw new UrlError('the host is neither a name nor an address (IPv6 belongs into brackets)');
  }
  return isV6 ? host.slice(1, -1) : host;
}

function isAddressV6(host: string): boolean {
  return URL.canParse(`http://${host}/`);
}

export function readPort(port: string | undefined): number | undefined {
  if (port === undefined) {
    return undefined;
  }
  const number = wholeNumberIn(port);
  if (number === undefined || number < 1 || number > 65_535) {
    throw new UrlError('the port must be a number from 1 to 65535');
  }
  return number;
}

function readQuery(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const parameter of query.split('&').filter((part) => part !== '')) {
    const [name = '', ...value] = parameter.split('=');
    const key = decoded('query', name)!;
    if (parameters.has(key)) {
      throw new UrlError('a parameter is given twice');
    }
    parameters.set(key, decoded('query', value.join('='))!);
  }
  return parameters;
}

function decoded(part: string, text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    throw new UrlError(`the ${part} has a % that begins no percent-encoding: write it as %25`);
  }
}
