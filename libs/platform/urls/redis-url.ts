import { readUrl, refuseOthers, UrlError } from './url-parts.ts';

/** What a client of Redis needs to know; the rest of its options is not a matter of the URL. */
export interface RedisAddress {
  host?: string;
  port?: number;
  /** A Unix socket, instead of host and port. */
  path?: string;
  username?: string;
  password?: string;
  db: number;
  /** IP version. */
  family?: number;
  isTls: boolean;
}

const defaultPort = 6379;

/**
 * Reads a URL as redis-cli and ioredis both understand it: `redis://[[user]:password@]host[:port][/db]`,
 * `rediss://` for TLS, and `unix://[[user]:password@]/path[?db=n]`. Where they differ, as in a user
 * without a password, it is refused. Throws `UrlError`.
 */
export function readRedisUrl(url: string): RedisAddress {
  const { scheme, host, port, username, password, path, query } = readUrl(url, [
    'redis',
    'rediss',
    'unix',
  ]);
  if (username !== undefined && password === undefined) {
    throw new UrlError('a user without a password: a password alone is written :password@');
  }
  const login = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
  if (scheme === 'unix') {
    refuseOthers(query, ['db']);
    if (host !== undefined || port !== undefined || path === '') {
      throw new UrlError('a Unix socket is written unix:///path/to/socket');
    }
    return { path: `/${path}`, ...login, db: readDatabase(query.get('db') ?? ''), isTls: false };
  }
  refuseOthers(query, ['db', 'family']);
  if (host === undefined) {
    throw new UrlError('the host is missing');
  }
  if (path !== '' && query.has('db')) {
    throw new UrlError('the database is given twice');
  }
  return {
    host,
    port: port ?? defaultPort,
    ...login,
    db: readDatabase(query.get('db') ?? path),
    ...readFamily(query.get('family')),
    isTls: scheme === 'rediss',
  };
}

function readDatabase(text: string): number {
  if (text === '') {
    return 0;
  }
  if (!/^\d{1,9}$/.test(text)) {
    throw new UrlError('the database, behind the host, must be a number');
  }
  return Number(text);
}

function readFamily(text: string | undefined): { family?: number } {
  if (text === undefined) {
    return {};
  }
  if (text !== '4' && text !== '6') {
    throw new UrlError('family must be 4 or 6');
  }
  return { family: Number(text) };
}
