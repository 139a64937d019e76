import { readFileSync } from 'node:fs';

/** A public key as a JSON Web Key (RFC 7517). */
export interface PublicKey extends Record<string, unknown> {
  kty: string;
}

export interface KeySet {
  keys: PublicKey[];
}

/** What is wrong with a key set, in words; never with anything of what is in it. */
export class KeySetError extends Error {
  override readonly name = 'KeySetError';
}

/** No issuer has more; each token without a `kid` may be tried with all of them. */
const keysMax = 100;
const publicTypes = new Set(['RSA', 'EC', 'OKP']);

/** Throws `KeySetError` when it is none. Keys of types that we do not know are left out, as the standard wants it. */
export function parseKeySet(text: string): KeySet {
  const { keys } = parsed(text);
  if (!Array.isArray(keys) || !keys.every(isKey)) {
    throw new KeySetError('is not a key set: {"keys":[…]} with a `kty` in each key');
  }
  if (keys.length > keysMax) {
    throw new KeySetError(`has more than ${keysMax} keys`);
  }
  if (keys.some((key) => 'd' in key)) {
    throw new KeySetError('has a private key in it: only public keys belong there');
  }
  return { keys: keys.filter(({ kty }) => publicTypes.has(kty)) };
}

/** Throws what reading a file throws, too. */
export function readKeySetFile(file: string): KeySet {
  return parseKeySet(readFileSync(file, 'utf8'));
}

function parsed(text: string): { keys?: unknown } {
  try {
    return (JSON.parse(text) ?? {}) as { keys?: unknown };
  } catch {
    // The parser's own words repeat a part of the text.
    throw new KeySetError('is not JSON');
  }
}

function isKey(value: unknown): value is PublicKey {
  return (
    typeof value === 'object' && value !== null && typeof Reflect.get(value, 'kty') === 'string'
  );
}
