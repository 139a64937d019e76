import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { newApiKey } from '#identity/api-key.ts';
import { TestLedger } from '../../../test/harness/stores/test-ledger.ts';
import type { ApiKeyDraft } from './api-key-ledger.ts';
import { ApiKeyLedger } from './api-key-ledger.ts';

const here = new TestLedger();
const keys = new ApiKeyLedger(here.connection);

beforeAll(() => here.start());
beforeEach(() => here.query('DELETE FROM api_key'));
afterAll(() => here.close());

function aDraft(given: Partial<ApiKeyDraft> = {}): ApiKeyDraft {
  const { id, hash } = newApiKey();
  return { id, hash, name: 'till', scopes: ['assign', 'read'], ...given };
}

async function made(given: Partial<ApiKeyDraft> = {}): Promise<ApiKeyDraft> {
  const draft = aDraft(given);
  await keys.create(draft);
  return draft;
}

const liveIds = async () => (await keys.listLive()).map(({ id }) => id);

test('a key is kept as its hash, listed without it, and live', async () => {
  const { id, hash, name, scopes } = await made({ name: '계산대 🎟' });
  expect(await keys.list()).toEqual([
    {
      id,
      name,
      scopes,
      createdAt: expect.closeTo(Date.now(), -5) as number,
      lastUsedAt: null,
      endsAt: null,
      replacedBy: null,
      hasEnded: false,
    },
  ]);
  expect(await keys.listLive()).toEqual([{ id, hash, scopes, remainingMs: null }]);
});

test('the first key is made once, however many make it at the same time, and never again', async () => {
  const drafts = Array.from({ length: 4 }, () => aDraft());
  const outcomes = await Promise.all(drafts.map((draft) => keys.createFirst(draft)));
  expect(outcomes.filter(Boolean)).toHaveLength(1);
  const [first] = await keys.list();
  expect(first!.id).toBe(drafts[outcomes.indexOf(true)]!.id);
  await keys.end(first!.id);
  expect(await keys.createFirst(aDraft())).toBe(false);
});

test('a key ends once, and stays in the list', async () => {
  const { id } = await made();
  expect(await keys.end(id)).toBe(true);
  expect(await liveIds()).toEqual([]);
  expect(await keys.list()).toMatchObject([{ id, hasEnded: true }]);
  expect(await keys.end(id)).toBe(false);
  expect(await keys.end('ffffffffffff')).toBe(false);
});

test('a key that is replaced works on for its time, beside the one that takes over name and scopes', async () => {
  const old = await made({ name: 'old', scopes: ['read'] });
  const by = newApiKey();
  expect(await keys.replace(old.id, by, 60_000)).toBe('replaced');
  const live = await keys.listLive();
  expect(live.map(({ id }) => id).sort()).toEqual([old.id, by.id].sort());
  const remaining = live.find(({ id }) => id === old.id)!.remainingMs!;
  expect(remaining).toBeGreaterThan(0);
  expect(remaining).toBeLessThanOrEqual(60_000);
  expect(await keys.list()).toContainEqual(
    expect.objectContaining({ id: by.id, name: 'old', scopes: ['read'], endsAt: null }),
  );
  expect(await keys.list()).toContainEqual(
    expect.objectContaining({ id: old.id, replacedBy: by.id, hasEnded: false }),
  );
  // It may still be ended at once.
  expect(await keys.end(old.id)).toBe(true);
  expect(await liveIds()).toEqual([by.id]);
});

test('a key is replaced once; without an overlap the old one has ended then', async () => {
  const old = await made();
  const outcomes = await Promise.all(
    [1, 2, 3].map(() => keys.replace(old.id, newApiKey(), 60_000)),
  );
  expect(outcomes.sort()).toEqual(['ending', 'ending', 'replaced']);
  const other = await made();
  expect(await keys.replace(other.id, newApiKey(), 0)).toBe('replaced');
  expect(await liveIds()).not.toContain(other.id);
  expect(await keys.replace(other.id, newApiKey(), 0)).toBe('ended');
  expect(await keys.replace('ffffffffffff', newApiKey(), 0)).toBe('unknown');
});

test('which were used is noted for all of them at once, and for no other', async () => {
  const [one, two, other] = [await made(), await made(), await made()];
  await keys.noteUsed([]);
  await keys.noteUsed([one.id]);
  await keys.noteUsed([one.id, two.id]);
  const used = (await keys.list()).filter(({ lastUsedAt }) => lastUsedAt !== null);
  expect(used.map(({ id }) => id).sort()).toEqual([one.id, two.id].sort());
  expect(used.map(({ id }) => id)).not.toContain(other.id);
});
