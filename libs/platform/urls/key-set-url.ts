import { UrlError, readUrl } from './url-parts.ts';

const loopback = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/i;

/**
 * Where a key set is. Who can change what comes from there decides who everybody is, so it comes over
 * TLS, or from this machine, unless that was allowed. Throws `UrlError`, never with the URL.
 */
export function readKeySetUrl(url: string, mayBeHttp: boolean): URL {
  const { scheme, host, username, password } = readUrl(url, ['https', 'http']);
  if (host === undefined || !URL.canParse(url)) {
    throw new UrlError('must be https://host/path');
  }
  if (username !== undefined || password !== undefined) {
    throw new UrlError('must not have a user or a password in it: key sets are public');
  }
  if (scheme === 'http' && !mayBeHttp && !loopback.test(host)) {
    throw new UrlError(
      'must begin with https:// unless it leads to this machine; AUTH_JWKS_ALLOW_HTTP=true allows it',
    );
  }
  return new URL(url);
}
