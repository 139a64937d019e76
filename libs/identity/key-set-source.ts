import { readFile } from 'node:fs/promises';
import type { Config } from '#platform/config/config.ts';
import type { KeySet } from '#platform/config/key-set.ts';
import { KeySetError, parseKeySet } from '#platform/config/key-set.ts';

/** Reads the key set, once. Rejects in words when it is not to be had, or is none. */
export type KeySetSource = () => Promise<KeySet>;

export const fetchTimeoutMs = 3_000;
const bytesMax = 256 * 1_024;

/** Where the settings say that the key set is; to be asked only where they say it. */
export function keySetSource({
  AUTH_JWKS_URL: url,
  AUTH_JWKS_FILE: file,
}: Pick<Config, 'AUTH_JWKS_URL' | 'AUTH_JWKS_FILE'>): KeySetSource {
  return url === undefined ? () => readFromFile(file!) : () => fetchKeySet(url);
}

async function readFromFile(file: string): Promise<KeySet> {
  return parseKeySet(await readFile(file, 'utf8'));
}

async function fetchKeySet(url: string): Promise<KeySet> {
  const answer = await fetch(url, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    // It would lead to where nobody has looked whether it is safe.
    redirect: 'error',
    signal: AbortSignal.timeout(fetchTimeoutMs),
  });
  if (!answer.ok) {
    await answer.body?.cancel();
    throw new KeySetError(`was answered with ${answer.status}`);
  }
  const set = parseKeySet(await textOf(answer));
  if (set.keys.length === 0) {
    // No issuer means that; one that is broken says it.
    throw new KeySetError('has no key that we know');
  }
  return set;
}

async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > bytesMax) {
      throw new KeySetError(`has more than ${bytesMax} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
