import { ApiKeyLedger } from '#ledger/api-keys/api-key-ledger.ts';
import { mysqlPromises } from '#ledger/checks/mysql-checks.ts';
import { ArchivedCoupons } from '#ledger/coupons/archived-coupons.ts';
import { CouponLedger } from '#ledger/coupons/coupon-ledger.ts';
import { DeadLetterLedger } from '#ledger/dead-letters/dead-letter-ledger.ts';
import { ExpiredRows } from '#ledger/expired-rows.ts';
import { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import { RedemptionLedger } from '#ledger/redemption-ledger.ts';
import { LedgerConnection } from '#ledger/connection/ledger-connection.ts';
import { observePool } from '#ledger/connection/pool-metrics.ts';
import { SlowQueries } from '#ledger/queries/slow-queries.ts';
import { timed } from '#ledger/timed.ts';
import type { Opener, StoreLimits } from './opener.ts';
import { watchChecks } from './opener.ts';

export function openLedger({ config, logger, telemetry }: Opener, limits: StoreLimits) {
  const slow =
    logger && telemetry && new SlowQueries(config.MYSQL_SLOW_QUERY_MS, logger, telemetry);
  const ledger = new LedgerConnection(config, { ...limits, onQuery: (query) => slow?.note(query) });
  ledger.start();
  if (telemetry !== undefined) {
    observePool(telemetry, ledger);
  }
  const settings = watchChecks(mysqlPromises(ledger), telemetry);
  const ask = <Ledger extends object>(name: string, one: Ledger): Ledger =>
    timed(name, one, telemetry?.operations);
  const issuances = new IssuanceLedger(ledger);
  return {
    parts: {
      ledger,
      coupons: ask('coupons', new CouponLedger(ledger)),
      archived: ask('archived', new ArchivedCoupons(ledger)),
      expired: ask('expired', new ExpiredRows(ledger)),
      apiKeys: ask('api_keys', new ApiKeyLedger(ledger)),
      issuances: ask('issuances', issuances),
      redemptions: ask('redemptions', new RedemptionLedger(ledger, issuances)),
      deadLetters: ask('dead_letters', new DeadLetterLedger(ledger)),
    },
    probes: {
      schema: () => ledger.schemaProblem(),
      mysql: () => ledger.connectionProblem(),
      mysql_promises: settings.promises,
    },
    reports: { mysql_settings: settings.warnings },
    connected: (timeoutMs: number) => connected(ledger, timeoutMs),
    close: async () => {
      void settings.stop();
      await ledger.close();
      slow?.close();
    },
  };
}

/** Rejects, too, when the schema is not the one that this version understands. */
async function connected(ledger: LedgerConnection, timeoutMs: number): Promise<void> {
  const timeout = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error('MySQL (MYSQL_URL) is not reachable')), timeoutMs).unref();
  });
  await Promise.race([ledger.connected(), timeout]);
  const problem = await ledger.schemaProblem();
  if (problem !== undefined) {
    throw new Error(problem);
  }
}
