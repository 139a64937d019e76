import type { LedgerConnection } from '../connection/ledger-connection.ts';

/** How many holders the gates have when all are built from MySQL. */
export async function countHolders(ledger: LedgerConnection): Promise<number> {
  const source = await ledger.askedSource();
  const [row]: { holders: string | null }[] = await source.query(
    'SELECT SUM(issued) AS holders FROM coupon',
  );
  return Number(row?.holders ?? 0);
}
