import type { ConnectionOptions } from 'mysql2';
import type { Config } from '#platform/config/config.ts';
import { readCertificateAuthority } from '#platform/config/certificate-authority.ts';
import { readMysqlUrl } from '#platform/urls/mysql-url.ts';

/**
 * Where MySQL is and who we are there, for its client: the client's own reading of URLs lets errors
 * pass. Throws when the CA file cannot be read.
 */
export function mysqlOptions({
  MYSQL_URL: url,
  MYSQL_CA_FILE: caFile,
}: Pick<Config, 'MYSQL_URL' | 'MYSQL_CA_FILE'>) {
  const { username: user, tls, ...address } = readMysqlUrl(url, caFile !== undefined);
  const ca = readCertificateAuthority(caFile);
  const ssl = tls && { ...tls, ...(ca === undefined ? {} : { ca }) };
  return { ...address, user, ...(ssl && { ssl }) } satisfies ConnectionOptions;
}
