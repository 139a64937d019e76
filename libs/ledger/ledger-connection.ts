import { strict as assert } from 'node:assert';
import { setTimeout as delay } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { probeTimeoutMs } from '#platform/health/health-probes.ts';
import { isConnectionError } from './driver-error.ts';
import type { LedgerConfig } from './data-source.ts';
import { createDataSource } from './data-source.ts';
import { describeSchema } from './schema-state.ts';

/** MySQL has not answered since this process started. */
export class LedgerUnavailableError extends Error {
  override readonly name = 'LedgerUnavailableError';
}

const retryMs = 1_000;
/** A question about its health that MySQL has not answered by then counts as not answered. */
const healthAnswerMs = 1_500;
assert(healthAnswerMs < probeTimeoutMs, 'a probe must have the time to say that MySQL is mute');

/**
 * The connection to MySQL of one process. A process starts, and stays up, without MySQL: `start`
 * connects in the background for as long as it takes; later losses are mended by the pool.
 */
export class LedgerConnection {
  private source: DataSource | undefined;
  private readonly stopping = new AbortController();
  private connecting: Promise<void> | undefined;
  private lastError = 'not connected yet';

  /** With `queryTimeoutMs` no query takes longer: it rejects with a connection error. */
  constructor(
    private readonly config: LedgerConfig,
    private readonly options: { queryTimeoutMs?: number } = {},
  ) {}

  start(): void {
    this.connecting ??= this.connectUntilUp();
  }

  /** Resolves once the first connection is made; rejects with the abort reason when closed before. */
  async connected(): Promise<DataSource> {
    this.start();
    await this.connecting;
    return this.dataSource;
  }

  /** Throws `LedgerUnavailableError` until the first connection is made. */
  get dataSource(): DataSource {
    if (this.source === undefined) {
      throw new LedgerUnavailableError(`MySQL is not reachable: ${this.lastError}`);
    }
    return this.source;
  }

  /** Why MySQL cannot be asked, in words; `undefined` when it can. */
  async connectionProblem(): Promise<string | undefined> {
    try {
      await inTime(this.dataSource.query('SELECT 1'));
      return undefined;
    } catch (error) {
      return `MySQL is not reachable: ${(error as Error).message}`;
    }
  }

  /**
   * Which migration is missing, or too new for this version, in words; `undefined` when the schema
   * fits, and also while MySQL cannot be asked: see `connectionProblem`.
   */
  async schemaProblem(): Promise<string | undefined> {
    try {
      return await inTime(describeSchema(this.dataSource));
    } catch (error) {
      if (error instanceof LedgerUnavailableError || isConnectionError(error)) {
        return undefined;
      }
      throw error;
    }
  }

  async close(): Promise<void> {
    this.stopping.abort();
    await this.connecting?.catch(() => {});
    await this.source?.destroy();
  }

  private async connectUntilUp(): Promise<void> {
    const { signal } = this.stopping;
    while (this.source === undefined) {
      signal.throwIfAborted();
      try {
        this.source = await createDataSource(this.config, this.options.queryTimeoutMs).initialize();
      } catch (error) {
        this.lastError = (error as Error).message;
        await delay(retryMs, undefined, { signal });
      }
    }
  }
}

async function inTime<Answer>(question: Promise<Answer>): Promise<Answer> {
  const timer = new AbortController();
  const expired = delay(healthAnswerMs, undefined, { signal: timer.signal }).then((): never => {
    throw new LedgerUnavailableError(`no answer within ${healthAnswerMs} ms`);
  });
  // Whichever comes second may fail with nobody left to hear it.
  expired.catch(() => {});
  question.catch(() => {});
  return Promise.race([question, expired]).finally(() => timer.abort());
}
