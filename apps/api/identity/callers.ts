import type { IncomingMessage } from 'node:http';
import { KeysUnknownError } from '#identity/current-keys.ts';
import { isApiKey } from '#identity/api-key.ts';
import type { Tokens } from '#identity/tokens.ts';
import { TokenError } from '#identity/tokens.ts';
import type { Caller } from './caller.ts';
import { authorizationCount, bearerToken } from './credentials.ts';
import {
  cannotTellWho,
  invalidToken,
  malformedCredentials,
  unauthenticated,
} from './identity-problems.ts';
import type { IdentityMetrics } from './identity-metrics.ts';
import type { KnownKeys } from './known-keys.ts';
import { KeysNotReadError } from './known-keys.ts';

/** Finds out who asks, by his token or his API key. */
export class Callers {
  constructor(
    private readonly tokens: Tokens,
    private readonly keys: KnownKeys,
    private readonly metrics: IdentityMetrics,
  ) {}

  /** Throws UNAUTHENTICATED; INVALID_REQUEST for several headers; UNAVAILABLE when nobody can tell. */
  async callerOf(request: IncomingMessage): Promise<Caller> {
    if (authorizationCount(request) > 1) {
      this.metrics.refuse('several');
      throw malformedCredentials();
    }
    const token = bearerToken(request.headers.authorization);
    if (token === undefined) {
      this.metrics.refuse('nothing');
      throw unauthenticated();
    }
    return isApiKey(token) ? this.machineOf(token) : this.userOf(token);
  }

  private machineOf(text: string): Caller {
    const caller = this.findKey(text);
    if (caller === undefined) {
      this.metrics.refuse('api_key');
      throw invalidToken('The API key is not known, or is not one any more.');
    }
    return caller;
  }

  private findKey(text: string): Caller | undefined {
    try {
      return this.keys.find(text);
    } catch (error) {
      throw error instanceof KeysNotReadError ? cannotTellWho({ cause: 'api_keys_unread' }) : error;
    }
  }

  private async userOf(token: string): Promise<Caller> {
    try {
      return { kind: 'user', userId: await this.tokens.userOf(token) };
    } catch (error) {
      if (error instanceof TokenError) {
        this.metrics.refuse(error.fault);
        throw invalidToken(error.message);
      }
      throw error instanceof KeysUnknownError
        ? cannotTellWho({ cause: 'key_set_unread', error })
        : error;
    }
  }
}
