import type { LedgerConnection } from '#ledger/connection/ledger-connection.ts';
import { readLedgerFigures } from '#ledger/checks/ledger-figures.ts';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';
import { LastLook } from './last-look.ts';

const validMs = 6_000;

/**
 * How many of the connections of MySQL are in use. Once all are, an exporter that connects to ask is
 * refused; the keeper asks over a connection that it has.
 */
export class MysqlMetrics {
  private readonly look = new LastLook<number>(validMs);

  constructor(
    private readonly ledger: LedgerConnection,
    { observed }: Telemetry,
  ) {
    observed.gauge(
      'firstcome_mysql_connections_ratio',
      'Connections of MySQL in use, by anybody, as a share of its max_connections.',
      (observe) => observe(this.look.value),
    );
  }

  async refresh(): Promise<void> {
    await this.look.refresh(async () => {
      const { connections, connectionsMax } = await readLedgerFigures(this.ledger);
      return connections / connectionsMax;
    });
  }
}
