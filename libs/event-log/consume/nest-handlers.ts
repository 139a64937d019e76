import type { MessageHandler } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';

/** Throws when a topic has no handler or two. */
export function assertHandlers(handlers: ReadonlyMap<string, MessageHandler>): void {
  if (handlers.size === 0) {
    throw new Error('No handler: nothing is marked with @EventPattern.');
  }
  for (const [pattern, handler] of handlers) {
    if (handler.next !== undefined) {
      throw new Error(`Two handlers for ${pattern}: which one resolves its offsets?`);
    }
  }
}

/** Nest answers with a value, a promise, an observable, or a promise of an observable. */
export async function settled(handle: () => unknown): Promise<void> {
  const result = await handle();
  if (isObservable(result)) {
    await lastValueFrom(result, { defaultValue: undefined });
  }
}
