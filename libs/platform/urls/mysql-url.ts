import { readUrl, refuseOthers, UrlError } from './url-parts.ts';

/** How the certificate of the server is looked at; `undefined` where TLS is not asked for. */
export interface TlsDemand {
  /** It must be signed by somebody we trust. */
  rejectUnauthorized: boolean;
  /** It must also have the name of the host. */
  verifyIdentity: boolean;
}

export interface MysqlAddress {
  host: string;
  port: number;
  /** A Unix socket; host and port do not matter then. */
  socketPath?: string;
  username: string;
  password: string;
  database: string;
  tls?: TlsDemand;
}

const defaultPort = 3306;
const sslModeNames = ['ssl-mode', 'ssl_mode', 'sslmode', 'sslMode'];
const socketNames = ['socket', 'socketPath'];

/**
 * Reads a URL as the clients of MySQL do: `mysql://user[:password]@host[:port]/database`, with
 * `ssl-mode` (DISABLED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY), mysql2's `ssl={…}`, `socket` and
 * `charset`. With a CA (`hasCa`), TLS is asked for, and REQUIRED verifies, as with `--ssl-ca`.
 * Throws `UrlError`.
 */
export function readMysqlUrl(url: string, hasCa: boolean): MysqlAddress {
  const { host, port, username, password, path, query } = readUrl(url, ['mysql']);
  refuseOthers(query, ['ssl-mode', 'ssl', 'socket', 'charset', ...sslModeNames, ...socketNames]);
  if (host === undefined) {
    throw new UrlError('the host is missing');
  }
  if (username === undefined) {
    throw new UrlError('the user is missing');
  }
  if (path === '') {
    throw new UrlError('the database, behind the host, is missing');
  }
  if (path.includes('/')) {
    throw new UrlError('the database has a slash in it');
  }
  checkCharset(query.get('charset'));
  const tls = readTls(query, hasCa);
  const socketPath = only(query, socketNames, 'the socket');
  if (socketPath !== undefined && !/^\(?\//.test(socketPath)) {
    throw new UrlError('the socket must be an absolute path');
  }
  return {
    host,
    port: port ?? defaultPort,
    // MySQL Shell writes the path in brackets.
    ...(socketPath === undefined ? {} : { socketPath: socketPath.replace(/^\((.*)\)$/, '$1') }),
    username,
    password: password ?? '',
    database: path,
    ...(tls === undefined ? {} : { tls }),
  };
}

function checkCharset(charset: string | undefined): void {
  if (charset !== undefined && !/^utf8mb4(_\w+)?$/i.test(charset)) {
    throw new UrlError('charset can only be utf8mb4: names and user ids need all of it');
  }
}

function readTls(query: ReadonlyMap<string, string>, hasCa: boolean): TlsDemand | undefined {
  const mode = only(query, sslModeNames, 'ssl-mode');
  const profile = query.get('ssl');
  if (mode !== undefined && profile !== undefined) {
    throw new UrlError('ssl-mode and ssl are two ways to say one thing: give one');
  }
  if (profile !== undefined) {
    return readProfile(profile);
  }
  if (mode === undefined) {
    return hasCa ? { rejectUnauthorized: true, verifyIdentity: false } : undefined;
  }
  switch (mode.toUpperCase().replace('-', '_')) {
    case 'DISABLED':
      if (hasCa) {
        throw new UrlError('ssl-mode is DISABLED although MYSQL_CA_FILE asks for TLS');
      }
      return undefined;
    case 'REQUIRED':
      return { rejectUnauthorized: hasCa, verifyIdentity: false };
    case 'VERIFY_CA':
      return { rejectUnauthorized: true, verifyIdentity: false };
    case 'VERIFY_IDENTITY':
      return { rejectUnauthorized: true, verifyIdentity: true };
    case 'PREFERRED':
      throw new UrlError('ssl-mode PREFERRED would fall back unasked: say REQUIRED or DISABLED');
    default:
      throw new UrlError('ssl-mode must be DISABLED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY');
  }
}

/** The two switches of mysql2's own form; keys and certificates do not belong into a URL. */
function readProfile(text: string): TlsDemand {
  const profile = parsed(text);
  if (typeof profile !== 'object' || profile === null || Array.isArray(profile)) {
    throw new UrlError('ssl must be a JSON object as mysql2 takes it; or say ssl-mode=REQUIRED');
  }
  const {
    rejectUnauthorized = true,
    verifyIdentity = false,
    ...others
  } = profile as {
    rejectUnauthorized?: unknown;
    verifyIdentity?: unknown;
  };
  if (
    typeof rejectUnauthorized !== 'boolean' ||
    typeof verifyIdentity !== 'boolean' ||
    Object.keys(others).length > 0
  ) {
    throw new UrlError('ssl may have rejectUnauthorized and verifyIdentity, true or false');
  }
  return { rejectUnauthorized, verifyIdentity };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The value of a parameter that has several names. */
function only(
  query: ReadonlyMap<string, string>,
  names: readonly string[],
  what: string,
): string | undefined {
  const given = names.filter((name) => query.has(name));
  if (given.length > 1) {
    throw new UrlError(`${what} is given twice`);
  }
  return given[0] === undefined ? undefined : query.get(given[0]);
}
