import { strict as assert } from 'node:assert';
import { setTimeout as delay } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import type { MysqlDriver } from 'typeorm/driver/mysql/MysqlDriver.js';
import { probeTimeoutMs } from '#platform/health/health-probes.ts';
import type { LedgerUse } from '../checks/ledger-trial.ts';
import { describeLedgerFailure, readOnlyProblem, tryLedger } from '../checks/ledger-trial.ts';
import { isUnavailable } from './driver-error.ts';
import type { LedgerConfig, PoolUse } from './data-source.ts';
import { createDataSource } from './data-source.ts';
import type { PoolState } from './pool-driver.ts';
import { readPoolState } from './pool-driver.ts';
import { renewConnections } from './renewal.ts';
import { describeSchema } from '../schema/schema-state.ts';

/** MySQL has not answered since this process started, or must not be asked as things are. */
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
  /** A node that takes no writes is a copy, and its answers may be old. */
  private isReadOnly = false;

  /** What `ledgerUse` says is tried by `connectionProblem`. */
  constructor(
    private readonly config: LedgerConfig,
    private readonly options: PoolUse & { ledgerUse?: LedgerUse } = {},
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

  /** Throws `LedgerUnavailableError` until the first connection is made, and while MySQL takes no writes. */
  get dataSource(): DataSource {
    if (this.isReadOnly) {
      throw new LedgerUnavailableError(readOnlyProblem);
    }
    return this.connectedSource;
  }

  /** For those who only look: also while MySQL takes no writes. */
  async askedSource(): Promise<DataSource> {
    this.start();
    // Where it takes longer, the last error says more than that.
    await inTime(this.connecting!).catch(() => {});
    return this.connectedSource;
  }

  /** Of the pool; `undefined` until the first connection is made. */
  poolState(): PoolState | undefined {
    return this.source && readPoolState((this.source.driver as MysqlDriver).pool);
  }

  /**
   * Why MySQL cannot be used, in words; `undefined` when it can. Tries it, and has connections made
   * anew that lead to a node which takes no writes.
   */
  async connectionProblem(): Promise<string | undefined> {
    try {
      const source = this.connectedSource;
      const problem = await inTime(tryLedger(source, this.options.ledgerUse ?? 'read'));
      this.isReadOnly = problem === readOnlyProblem;
      if (this.isReadOnly) {
        renewConnections((source.driver as MysqlDriver).pool);
      }
      return problem;
    } catch (error) {
      return error instanceof LedgerUnavailableError ? error.message : describeLedgerFailure(error);
    }
  }

  /**
   * Which migration is missing, or too new for this version, in words; `undefined` when the schema
   * fits, and also while MySQL cannot be asked: see `connectionProblem`.
   */
  async schemaProblem(): Promise<string | undefined> {
    try {
      return await inTime(describeSchema(this.connectedSource));
    } catch (error) {
      if (error instanceof LedgerUnavailableError || isUnavailable(error)) {
        return undefined;
      }
      throw error;
    }
  }

  /**
   * One connection beside the pool, for what is held while others of the pool are waited for. Whoever
   * asks for it destroys it.
   */
  async openApart(): Promise<DataSource> {
    const config = { ...this.config, MYSQL_POOL_SIZE: 1 };
    return createDataSource(config, this.options).initialize();
  }

  async close(): Promise<void> {
    this.stopping.abort();
    await this.connecting?.catch(() => {});
    await this.source?.destroy();
  }

  private get connectedSource(): DataSource {
    if (this.source === undefined) {
      throw new LedgerUnavailableError(`MySQL is not reachable: ${this.lastError}`);
    }
    return this.source;
  }

  private async connectUntilUp(): Promise<void> {
    const { signal } = this.stopping;
    while (this.source === undefined) {
      signal.throwIfAborted();
      try {
        this.source = await createDataSource(this.config, this.options).initialize();
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
    throw new LedgerUnavailableError(
      `MySQL is not reachable: no answer within ${healthAnswerMs} ms`,
    );
  });
  // Whichever comes second may fail with nobody left to hear it.
  expired.catch(() => {});
  question.catch(() => {});
  return Promise.race([question, expired]).finally(() => timer.abort());
}
