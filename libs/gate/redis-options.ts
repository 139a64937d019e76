import type { RedisOptions } from 'ioredis';
import { readCertificateAuthority } from '#platform/config/certificate-authority.ts';
import { readRedisUrl } from '#platform/urls/redis-url.ts';

/**
 * Where a Redis is and who we are there, for its client: the client's own reading of URLs lets errors
 * pass. Throws when the CA file cannot be read.
 */
export function redisOptions(url: string, caFile: string | undefined) {
  const { isTls, ...address } = readRedisUrl(url);
  const ca = readCertificateAuthority(caFile);
  const tls = ca === undefined ? {} : { ca };
  return { ...address, ...(isTls ? { tls } : {}) } satisfies RedisOptions;
}
