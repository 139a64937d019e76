import type { Kafka } from '#event-log/kafka-client.ts';
import { createKafka } from '#event-log/kafka-client.ts';
import { LedgerConnection } from '#ledger/ledger-connection.ts';
import type { Config } from '#platform/config.ts';
import { Gate } from '#gate/gate.ts';
import { GateConnection } from '#gate/gate-connection.ts';
import { CommandError } from './command-error.ts';

export interface Stores {
  config: Config;
  ledger: LedgerConnection;
  gate: Gate;
  kafka: Kafka;
}

const connectTimeoutMs = 10_000;

/** Connects for one command and closes again; throws `CommandError` when a store does not answer. */
export function withStores<T>(config: Config, work: (stores: Stores) => Promise<T>): Promise<T> {
  return withLedger(config, async (ledger) => {
    const gateConnection = new GateConnection(config);
    try {
      await gateConnection.connected(connectTimeoutMs).catch((error: unknown) => {
        throw new CommandError((error as Error).message);
      });
      return await work({
        config,
        ledger,
        gate: new Gate(gateConnection, config.GATE_KEY_PREFIX),
        kafka: createKafka(config, 'firstcome-cli'),
      });
    } finally {
      gateConnection.close();
    }
  });
}

/** The same for a command that needs MySQL only. */
export async function withLedger<T>(
  config: Config,
  work: (ledger: LedgerConnection) => Promise<T>,
): Promise<T> {
  const ledger = new LedgerConnection(config);
  try {
    await connectLedger(ledger);
    return await work(ledger);
  } finally {
    await ledger.close();
  }
}

async function connectLedger(ledger: LedgerConnection): Promise<void> {
  const timeout = new Promise<never>((_, reject) => {
    setTimeout(
      () => reject(new CommandError('MySQL (MYSQL_URL) is not reachable')),
      connectTimeoutMs,
    ).unref();
  });
  await Promise.race([ledger.connected(), timeout]);
  const problem = await ledger.schemaProblem();
  if (problem !== undefined) {
    throw new CommandError(problem);
  }
}
