import { kafkaChecks } from '#event-log/checks/kafka-checks.ts';
import { checkChannel } from '#gate/checks/channel.ts';
import { checkHeadRoom } from '#gate/checks/head-room.ts';
import { redisChecks } from '#gate/checks/redis-checks.ts';
import { GateConnection } from '#gate/gate-connection.ts';
import { RedisConnection } from '#gate/redis-connection.ts';
import { countHolders } from '#ledger/checks/holder-count.ts';
import { mysqlChecks } from '#ledger/checks/mysql-checks.ts';
import { CouponLedger } from '#ledger/coupons/coupon-ledger.ts';
import { LedgerConnection } from '#ledger/connection/ledger-connection.ts';
import type { Check } from '#platform/checks/check.ts';
import type { Config } from '#platform/config/config.ts';
import { createKafka } from '#event-log/kafka-client.ts';
import { jobPlace } from './job-place.ts';

const connectMs = 3_000;

/** By store, all that can be looked at, over connections of its own; `close` ends them. */
export function openAllChecks(config: Config): {
  checks: Record<string, Check>;
  close: () => Promise<void>;
} {
  const gate = new GateConnection(config);
  const jobs = new RedisConnection(jobPlace(config));
  const ledger = new LedgerConnection(config, { queryTimeoutMs: config.MYSQL_QUERY_TIMEOUT_MS });
  ledger.start();
  return {
    checks: {
      'redis.gate': onceConnected(gate, redisChecks(gate, 'redis.gate')),
      'redis.gate.channel': onceConnected(gate, async () =>
        gate.redis.status === 'ready' ? [await checkChannel(gate)] : [],
      ),
      'redis.gate.memory': async () => {
        // Whoever is away is told of under his own name.
        await gate.connected(connectMs).catch(() => {});
        const holders = await countHolders(ledger).catch(() => undefined);
        return holders === undefined || gate.redis.status !== 'ready'
          ? []
          : [await checkHeadRoom(gate, holders)];
      },
      'redis.jobs': onceConnected(jobs, asWarnings(redisChecks(jobs, 'redis.jobs'))),
      kafka: kafkaChecks(createKafka(config, 'firstcome-doctor'), config, async () =>
        new CouponLedger(ledger).highestPartition(),
      ),
      mysql: mysqlChecks(ledger),
    },
    close: async () => {
      gate.close();
      jobs.close();
      await ledger.close();
    },
  };
}

function onceConnected(connection: RedisConnection, check: Check): Check {
  return async () => {
    await connection.connected(connectMs).catch(() => {});
    return check();
  };
}

/** Of the job store no promise to a client depends: without it only audits wait. */
function asWarnings(check: Check): Check {
  return async () =>
    (await check()).map((result) =>
      result.verdict === 'promise_void'
        ? { ...result, verdict: 'warning', why: 'audits wait while jobs cannot be kept' }
        : result,
    );
}
