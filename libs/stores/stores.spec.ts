import { expect, test } from 'vitest';
import { environmentSchema } from '#platform/config/config.ts';
import { openStores } from './stores.ts';

test('a store that was not asked for is neither there nor in the type', async () => {
  const opener = { name: 'test', config: environmentSchema.parse({}) };
  const { stores, probes, ...opened } = openStores(opener, ['gate', 'log']);
  expect(Object.keys(stores).sort()).toEqual([
    'admin',
    'gate',
    'gateConnection',
    'hints',
    'holdings',
    'idempotencyKeys',
    'issuers',
    'kafka',
    'keyspace',
    'recordTimes',
  ]);
  expect(Object.keys(probes)).toEqual(['gate', 'gate_promises']);
  // @ts-expect-error -- MySQL was not asked for
  expect(stores.coupons).toBeUndefined();
  // @ts-expect-error -- the log was asked for to read
  expect(stores.issuanceLog).toBeUndefined();
  await opened.close();
});
