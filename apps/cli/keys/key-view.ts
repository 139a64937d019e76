import type { ApiKeyEntry } from '#ledger/api-keys/api-key-ledger.ts';
import { toIsoTime } from '#platform/text/iso-time.ts';
import { alignColumns, toOneLine } from '../text.ts';

/** A key as `--json` lists it: nobody can tell the key from it. */
export interface KeyView {
  key_id: string;
  name: string;
  scopes: string[];
  state: 'ACTIVE' | 'ENDING' | 'ENDED';
  created_at: string;
  /** Some seconds late at most; null: never. */
  last_used_at: string | null;
  ends_at: string | null;
  replaced_by: string | null;
}

/** A key that was just made: the only time that it is shown. */
export interface NewKeyView {
  key_id: string;
  key: string;
}

const nameWidthMax = 40;

export function toKeyView(entry: ApiKeyEntry): KeyView {
  return {
    key_id: entry.id,
    name: entry.name,
    scopes: entry.scopes,
    state: stateOf(entry),
    created_at: toIsoTime(entry.createdAt),
    last_used_at: toIsoTime(entry.lastUsedAt),
    ends_at: toIsoTime(entry.endsAt),
    replaced_by: entry.replacedBy,
  };
}

export function toKeyTable(views: KeyView[]): string {
  return alignColumns([
    ['key_id', 'name', 'scopes', 'state', 'created_at', 'last_used_at', 'ends_at', 'replaced_by'],
    ...views.map((view) => [
      view.key_id,
      toOneLine(view.name, nameWidthMax),
      view.scopes.join(),
      view.state,
      view.created_at,
      view.last_used_at ?? '-',
      view.ends_at ?? '-',
      view.replaced_by ?? '-',
    ]),
  ]);
}

/** The key alone on a line of its own, to be taken by a program as well. */
export function toNewKeyText({ key_id: id, key }: NewKeyView): string {
  return `key ${id}, shown this once; keep it as a secret:\n${key}\n`;
}

function stateOf({ endsAt, hasEnded }: ApiKeyEntry): KeyView['state'] {
  if (endsAt === null) {
    return 'ACTIVE';
  }
  return hasEnded ? 'ENDED' : 'ENDING';
}
