import type { Scope } from '#identity/api-key.ts';
import { isSameHash, readApiKey } from '#identity/api-key.ts';
import type { ApiKeyLedger } from '#ledger/api-keys/api-key-ledger.ts';
import type { Caller } from './caller.ts';

interface KnownKey {
  hash: Buffer;
  caller: Extract<Caller, { kind: 'machine' }>;
  /** By the clock of this process; `Infinity` until it is revoked. */
  endsAt: number;
}

/** The API keys were not read, or not for so long that what is known of them counts no more. */
export class KeysNotReadError extends Error {
  override readonly name = 'KeysNotReadError';
}

/** So that a key that does not exist is compared as well. */
const nobody = Buffer.alloc(32);

/**
 * The API keys in memory, read again twice a second: a request costs MySQL nothing, and a key that is
 * revoked stops within a second or two. While MySQL is away those that are known work on for `keepMs`.
 */
export class KnownKeys {
  private keys: ReadonlyMap<string, KnownKey> = new Map();
  private readAt = -Infinity;
  private used = new Set<string>();

  constructor(
    private readonly ledger: Pick<ApiKeyLedger, 'listLive' | 'noteUsed'>,
    private readonly keepMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Since what is known was asked for; nothing before the first time. */
  get ageMs(): number | undefined {
    return this.readAt === -Infinity ? undefined : this.now() - this.readAt;
  }

  get count(): number {
    return this.keys.size;
  }

  async refresh(): Promise<void> {
    const askedAt = this.now();
    const live = await this.ledger.listLive();
    this.keys = new Map(
      live.map(({ id, hash, scopes, remainingMs }) => [
        id,
        {
          hash,
          caller: { kind: 'machine', keyId: id, scopes: new Set(scopes as Scope[]) },
          endsAt: remainingMs === null ? Infinity : askedAt + remainingMs,
        },
      ]),
    );
    this.readAt = askedAt;
  }

  /** Whose key it is; nothing for what is no key, or none any more. Throws `KeysNotReadError`. */
  find(text: string): Caller | undefined {
    const given = readApiKey(text);
    if (given === undefined) {
      return undefined;
    }
    if (this.now() > this.readAt + this.keepMs) {
      throw new KeysNotReadError();
    }
    const known = this.keys.get(given.id);
    const isRight = isSameHash(given.hash, known?.hash ?? nobody);
    if (known === undefined || !isRight || this.now() >= known.endsAt) {
      return undefined;
    }
    this.used.add(given.id);
    return known.caller;
  }

  /** Tells MySQL which keys were used since it was told last: one statement, however many requests. */
  async noteUsed(): Promise<void> {
    const used = this.used;
    this.used = new Set();
    try {
      await this.ledger.noteUsed([...used]);
    } catch (error) {
      used.forEach((id) => this.used.add(id));
      throw error;
    }
  }
}
