import type { Attributes } from '@opentelemetry/api';
import { databaseAttributes as db } from './messaging-conventions.ts';
import type { StorePlaces } from './store-places.ts';

type Store = keyof StorePlaces;

/** What a span says of what was caught; never its message, which may name a user. */
export function errorAttributes(store: Store, error: unknown): Attributes {
  const status = responseStatusOf(store, error);
  return {
    'error.type': error instanceof Error ? error.name : typeof error,
    ...(status !== undefined && { [db.responseStatus]: status }),
  };
}

/** What the server said no with: the first word of Redis, as OOM, or the number of MySQL, as 1213. */
function responseStatusOf(store: Store, error: unknown): string | undefined {
  const { name, message = '', errno = 0 } = (error ?? {}) as Partial<Error & { errno: number }>;
  if (store === 'redis' && name === 'ReplyError') {
    return /^[A-Z]+(?= )/.exec(message)?.[0];
  }
  // Of a connection it is a number of the system, which Node makes negative.
  return store === 'mysql' && errno > 0 ? String(errno) : undefined;
}
