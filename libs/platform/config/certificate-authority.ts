import { readFileSync } from 'node:fs';

/** The certificate authority to trust for a TLS connection, or nothing when none is configured. */
export function readCertificateAuthority(file: string | undefined): string | undefined {
  return file === undefined ? undefined : readFileSync(file, 'utf8');
}
