import { InvalidArgumentError } from 'commander';
import type { Scope } from '#identity/api-key.ts';
import { scopes } from '#identity/api-key.ts';
import { apiKeyNameLengthMax } from '#ledger/api-keys/api-key-row.ts';

const unitsMs: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const overlapMaxMs = 90 * 86_400_000;

export function keyId(text: string): string {
  if (!/^[0-9a-f]{12}$/.test(text)) {
    throw new InvalidArgumentError('It must be a key_id as `keys list` shows it, never the key.');
  }
  return text;
}

export function keyName(text: string): string {
  const name = text.normalize('NFC').trim();
  const length = Array.from(name).length;
  if (length < 1 || length > apiKeyNameLengthMax || /\p{Cc}/u.test(name) || !name.isWellFormed()) {
    throw new InvalidArgumentError(
      `It must have 1 to ${apiKeyNameLengthMax} characters, on one line.`,
    );
  }
  return name;
}

export function keyScopes(text: string): Scope[] {
  const named = new Set(text.split(',').map((scope) => scope.trim()));
  if ([...named].some((scope) => !scopes.some((known) => known === scope))) {
    throw new InvalidArgumentError(`It must be some of ${scopes.join(',')}.`);
  }
  return scopes.filter((scope) => named.has(scope));
}

/** `90s`, `30m`, `24h`, `7d`, or `0s`; in milliseconds. */
export function overlap(text: string): number {
  const [, digits, unit] = /^(\d{1,7})([smhd])$/.exec(text) ?? [];
  const milliseconds = Number(digits) * (unitsMs[unit ?? ''] ?? Number.NaN);
  if (!(milliseconds <= overlapMaxMs)) {
    throw new InvalidArgumentError('It must be a time like 0s, 30m, 24h or 7d, at most 90d.');
  }
  return milliseconds;
}
