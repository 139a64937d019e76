import type { CryptoKey, JWK, JWTPayload } from 'jose';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/** Who makes tokens, with a key of his own. */
export interface Signer {
  kid: string;
  algorithm: string;
  privateKey: CryptoKey;
  /** As it stands in a key set. */
  publicKey: JWK & { kty: string };
}

export async function aSigner(kid: string, algorithm = 'ES256'): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = await exportJWK(publicKey);
  return {
    kid,
    algorithm,
    privateKey,
    publicKey: { ...jwk, kty: jwk.kty!, kid, alg: algorithm, use: 'sig' },
  };
}

export function inSeconds(fromNow: number): number {
  return Math.floor(Date.now() / 1_000) + fromNow;
}

/** A token that is good for an hour, unless `claims` say something else; one that is undefined is left out. */
export function aToken(
  { kid, algorithm, privateKey }: Signer,
  claims: JWTPayload,
  header: { kid?: string | undefined } = { kid },
): Promise<string> {
  return new SignJWT({ exp: inSeconds(3_600), ...claims })
    .setProtectedHeader({ alg: algorithm, ...(header.kid !== undefined && { kid: header.kid }) })
    .sign(privateKey);
}

/** A token that nobody signs well: any header, any payload, any signature. */
export function aForgedToken(header: object, payload: object | Buffer, signature = 'AAAA'): string {
  const encoded = (part: object | Buffer): string =>
    (Buffer.isBuffer(part) ? part : Buffer.from(JSON.stringify(part))).toString('base64url');
  return `${encoded(header)}.${encoded(payload)}.${signature}`;
}
