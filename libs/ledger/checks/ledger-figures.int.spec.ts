import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestLedger } from '../../../test/harness/stores/test-ledger.ts';
import { readLedgerFigures } from './ledger-figures.ts';

const here = new TestLedger();

beforeAll(() => here.start());
afterAll(() => here.close());

test('the share of connections in use is that of everybody, of all that MySQL allows', async () => {
  const [{ most } = { most: 0 }] = await here.query<{ most: number }>(
    'SELECT @@GLOBAL.max_connections AS most',
  );
  const strangers = await Promise.all(
    Array.from({ length: 20 }, () => createConnection(here.config.MYSQL_URL)),
  );
  try {
    const { connections, connectionsMax } = await readLedgerFigures(here.connection);
    const share = connections / connectionsMax;
    expect(share * most).toBeGreaterThan(strangers.length);
    expect(share).toBeLessThanOrEqual(1);
  } finally {
    await Promise.all(strangers.map((stranger) => stranger.end()));
  }
});
