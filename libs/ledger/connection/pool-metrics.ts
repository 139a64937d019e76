import type { Telemetry } from '#platform/telemetry/telemetry.ts';
import type { LedgerConnection } from './ledger-connection.ts';

const pool = { db_client_connection_pool_name: 'ledger' };

/** How many connections to MySQL there are, and who waits for one; nothing until the first is made. */
export function observePool({ observed }: Telemetry, ledger: LedgerConnection): void {
  observed.gauge(
    'db_client_connection_count',
    'Connections of the pool, in use and idle.',
    (observe) => {
      const state = ledger.poolState();
      observe(state?.used, { ...pool, db_client_connection_state: 'used' });
      observe(state?.idle, { ...pool, db_client_connection_state: 'idle' });
    },
  );
  observed.gauge('db_client_connection_max', 'Most connections of the pool.', (observe) =>
    observe(ledger.poolState()?.max, pool),
  );
  observed.gauge(
    'db_client_connection_pending_requests',
    'Who waits for a connection of the pool.',
    (observe) => observe(ledger.poolState()?.waiting, pool),
  );
}
