import { within } from '#platform/work/waiting.ts';

interface Connection {
  disconnect(): Promise<void>;
}

/**
 * A connection that is made when it is first needed, and anew after any failure, so that its owner
 * outlives brokers that come and go.
 */
export class RenewedConnection<Connected extends Connection> {
  private connecting: Promise<Connected> | undefined;

  constructor(private readonly connect: () => Promise<Connected>) {}

  /** Rejects when the work does, or is not done in time. The connection is not used again then. */
  async use<Result>(
    timeoutMs: number,
    work: (connected: Connected) => Promise<Result>,
  ): Promise<Result> {
    const connection = (this.connecting ??= this.connect());
    try {
      return await within(timeoutMs, async () => work(await connection));
    } catch (error) {
      if (this.connecting === connection) {
        this.connecting = undefined;
      }
      void disconnect(connection);
      throw error;
    }
  }

  /** Never rejects; a later use connects again. */
  async close(): Promise<void> {
    const connection = this.connecting;
    this.connecting = undefined;
    await disconnect(connection);
  }
}

async function disconnect(connection: Promise<Connection> | undefined): Promise<void> {
  try {
    await (await connection)?.disconnect();
  } catch {
    // It never connected, or is gone already.
  }
}
