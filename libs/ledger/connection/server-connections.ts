import type { LedgerConnection } from './ledger-connection.ts';

interface Named {
  Variable_name: string;
  Value: string;
}

/** Of all that MySQL allows, whoever has them: above 1 with the one that is kept for an administrator. */
export async function shareOfConnectionsInUse(ledger: LedgerConnection): Promise<number> {
  const source = await ledger.askedSource();
  const [used] = await source.query<Named[]>("SHOW GLOBAL STATUS LIKE 'Threads_connected'");
  const [most] = await source.query<Named[]>("SHOW GLOBAL VARIABLES LIKE 'max_connections'");
  return Number(used?.Value) / Number(most?.Value);
}
