import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a machine may do: ask for any user, read what is of any user, what is for managers. */
export const scopes = ['assign', 'read', 'admin'] as const;

export type Scope = (typeof scopes)[number];

export interface NewApiKey {
  id: string;
  /** What its machine sends; kept nowhere. */
  text: string;
  hash: Buffer;
}

/** So that a scanner for secrets, and whoever finds one, knows what it is. */
const prefix = 'firstcome_';
const shape = /^firstcome_([0-9a-f]{12})_[\w-]{43}$/;

/**
 * A key of 256 random bits. Its hash is a plain SHA-256: slow hashes are for what people make up, and no
 * number of tries finds this; a fast one lets every request be checked.
 */
export function newApiKey(): NewApiKey {
  const id = randomBytes(6).toString('hex');
  const text = `${prefix}${id}_${randomBytes(32).toString('base64url')}`;
  return { id, text, hash: hashOf(text) };
}

/** Whether it is meant to be one; no token of a user begins so, since a dot is in its first letters. */
export function isApiKey(text: string): boolean {
  return text.startsWith(prefix);
}

/** Its id and hash; nothing for a text that is no key. */
export function readApiKey(text: string): { id: string; hash: Buffer } | undefined {
  const id = shape.exec(text)?.[1];
  return id === undefined ? undefined : { id, hash: hashOf(text) };
}

/** Takes as long for any two hashes. */
export function isSameHash(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

function hashOf(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
