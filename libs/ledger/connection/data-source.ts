import { DataSource } from 'typeorm';
import type { Config } from '#platform/config/config.ts';
import { ApiKeyRow } from '../api-keys/api-key-row.ts';
import { DeadLetterRow } from '../dead-letters/dead-letter-row.ts';
import { CouponChangeRow, CouponRow, IssuanceRow, RedemptionRow, RefusalRow } from '../entities.ts';
import { mysqlOptions } from './mysql-options.ts';
import { poolDriver } from './pool-driver.ts';
import type { QueryListener } from '../queries/query-watch.ts';
import { recordStatements } from '../queries/statement-record.ts';
import { Initial1764000000000 } from '../migrations/1764000000000-initial.ts';
import { DeadLetter1764100000000 } from '../migrations/1764100000000-dead-letter.ts';
import { Archive1764200000000 } from '../migrations/1764200000000-archive.ts';
import { CouponChangeTerms1764400000000 } from '../migrations/1764400000000-coupon-change-terms.ts';
import { ApiKey1764500000000 } from '../migrations/1764500000000-api-key.ts';
import { Redemption1764600000000 } from '../migrations/1764600000000-redemption.ts';

/** Oldest first. A change of the schema is a new one at the end, never an edit. */
export const migrations = [
  Initial1764000000000,
  DeadLetter1764100000000,
  Archive1764200000000,
  CouponChangeTerms1764400000000,
  ApiKey1764500000000,
  Redemption1764600000000,
];

export type LedgerConfig = Pick<Config, 'MYSQL_URL' | 'MYSQL_CA_FILE' | 'MYSQL_POOL_SIZE'> &
  Partial<Pick<Config, 'STATEMENTS_DIR'>>;

const connectTimeoutMs = 5_000;

export interface PoolUse {
  /** A query that takes longer fails as one does whose connection breaks; without it, nothing ends one. */
  queryTimeoutMs?: number | undefined;
  /** Is told of every query once it is answered. */
  onQuery?: QueryListener | undefined;
}

/** The pool of connections to MySQL, not connected yet. */
export function createDataSource(
  config: LedgerConfig,
  { queryTimeoutMs, onQuery }: PoolUse = {},
): DataSource {
  const { STATEMENTS_DIR: recordIn } = config;
  const listeners = [
    onQuery,
    recordIn === undefined ? undefined : recordStatements(recordIn),
  ].filter((listener) => listener !== undefined);
  const { user, ...address } = mysqlOptions(config);
  return new DataSource({
    type: 'mysql',
    ...address,
    username: user,
    charset: 'utf8mb4',
    // A BIGINT comes as a number; one above 2^53, as only the offset of a record may be, as text.
    supportBigNumbers: true,
    bigNumberStrings: false,
    driver: poolDriver(queryTimeoutMs, listeners),
    connectTimeout: Math.min(connectTimeoutMs, queryTimeoutMs ?? connectTimeoutMs),
    poolSize: config.MYSQL_POOL_SIZE,
    entities: [
      CouponRow,
      IssuanceRow,
      RefusalRow,
      RedemptionRow,
      CouponChangeRow,
      DeadLetterRow,
      ApiKeyRow,
    ],
    migrations,
    migrationsTransactionMode: 'each',
  });
}
