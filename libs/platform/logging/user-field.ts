import { createHmac } from 'node:crypto';

export interface UserIdSettings {
  LOG_USER_IDS: 'plain' | 'hashed';
  LOG_USER_ID_KEY?: string | undefined;
}

/** Half of a SHA-256: two users share one with a chance that nobody will live to see. */
const hashLength = 32;

/**
 * How a user stands in a line. The hash is keyed: user ids are short and often numbers, so whoever has
 * a plain hash only has to hash them all to find out whose it is.
 */
export function userField(settings: UserIdSettings): (userId: string) => object {
  const { LOG_USER_IDS: how, LOG_USER_ID_KEY: key } = settings;
  if (how === 'plain') {
    return (userId) => ({ 'user.id': userId });
  }
  if (key === undefined) {
    throw new TypeError('a hash of user ids needs a key');
  }
  return (userId) => ({
    'user.hash': createHmac('sha256', key).update(userId).digest('hex').slice(0, hashLength),
  });
}
