import type { Check, CheckResult } from '#platform/checks/check.ts';
import { judgeTrips, measureTrips } from '#platform/checks/round-trips.ts';
import type { RedisConnection } from '../redis-connection.ts';
import { infoField } from './redis-info.ts';
import { missingRights } from './redis-rights.ts';

/** ZMSCORE came with 6.2; what the tests run on is 7. */
const oldestThatWorks = [6, 2];
const oldestTested = [7, 0];

/**
 * What the promises need of a Redis, by one question: cheap enough for every process. `store` begins
 * the names of the results.
 */
export function redisPromises(connection: RedisConnection, store: string): Check {
  return async () => {
    return judgePromises(store, await connection.redis.info());
  };
}

/** All that can be asked: the promises, whether it takes writes, trips, clock and rights. */
export function redisChecks(connection: RedisConnection, store: string): Check {
  return async () => {
    const writes = await judgeWrites(connection, store);
    if (writes.verdict === 'away') {
      return [writes];
    }
    const rights = await judgeRights(connection, store);
    const trips = await measureTrips(async () => {
      const [seconds, microseconds] = await connection.redis.time();
      return Number(seconds) * 1_000 + Number(microseconds) / 1_000;
    });
    const info = await connection.redis.info();
    return [
      writes,
      ...judgeStanding(store, info),
      rights,
      ...judgePromises(store, info),
      ...judgeTrips(store, trips),
    ];
  };
}

/** What the promises need it to be, by what it tells of itself (INFO). */
export function judgePromises(store: string, info: string): CheckResult[] {
  return [judgeVersion(store, info), judgeEviction(store, info)];
}

/** How it stands today, by the same. */
export function judgeStanding(store: string, info: string): CheckResult[] {
  return [judgeRole(store, info), judgeSaves(store, info)];
}

async function judgeWrites(connection: RedisConnection, store: string): Promise<CheckResult> {
  const name = `${store}.writes`;
  const { name: redisName, setting } = connection.place;
  const problem = await connection.problem();
  if (problem === undefined || !(problem.includes('not reachable') || connection.refusal)) {
    return { name, verdict: 'ok', message: 'it answers and takes writes' };
  }
  return connection.refusal === undefined
    ? {
        name: `${store}.reachable`,
        verdict: 'away',
        message: problem,
        remedy: `start ${redisName}, or set ${setting}`,
      }
    : {
        name,
        verdict: 'promise_void',
        message: problem,
        why: 'while it takes no writes, nobody new is admitted (503 UNAVAILABLE)',
      };
}

async function judgeRights(connection: RedisConnection, store: string): Promise<CheckResult> {
  const name = `${store}.rights`;
  const missing = await missingRights(connection.redis, connection.place.keyPrefix);
  return missing.length === 0
    ? { name, verdict: 'ok', message: 'our user may do all that is needed' }
    : {
        name,
        verdict: 'promise_void',
        message: `our user may not: ${missing.join(', ')}`,
        why: 'a script that is stopped half-way shuts its gate',
        remedy: `ACL SETUSER … ~${connection.place.keyPrefix}* ${missing.map((right) => `+${right}`).join(' ')}`,
      };
}

function judgeVersion(store: string, info: string): CheckResult {
  const name = `${store}.version`;
  const valkey = infoField(info, 'valkey_version');
  const version = valkey ?? infoField(info, 'redis_version') ?? 'of an unknown version';
  const message = `${valkey === undefined ? 'Redis' : 'Valkey'} ${version}`;
  if (isOlder(version, oldestThatWorks)) {
    return {
      name,
      verdict: 'promise_void',
      message,
      why: 'the scripts of the gate need Redis 6.2',
      remedy: 'Redis 7 or newer, or Valkey',
    };
  }
  return isOlder(version, oldestTested)
    ? {
        name,
        verdict: 'warning',
        message,
        why: 'nothing here is tested below 7.0',
        remedy: 'Redis 7 or newer, or Valkey',
      }
    : { name, verdict: 'ok', message };
}

function judgeRole(store: string, info: string): CheckResult {
  const name = `${store}.role`;
  if (infoField(info, 'cluster_enabled') === '1') {
    return {
      name,
      verdict: 'promise_void',
      message: 'it is a node of a cluster',
      why: 'the gate asks for keys of all coupons at one server',
      remedy: 'a Redis that is no cluster',
    };
  }
  return infoField(info, 'role') === 'master'
    ? { name, verdict: 'ok', message: 'it is a primary' }
    : {
        name,
        verdict: 'promise_void',
        message: 'it is a replica',
        why: 'what stands in a copy may be old, and it takes no writes',
        remedy: 'let its URL lead to the primary',
      };
}

/** Redis cannot say how much room its disk has, only whether it had enough the last time. */
function judgeSaves(store: string, info: string): CheckResult {
  const name = `${store}.saves`;
  const failed = ['rdb_last_bgsave_status', 'aof_last_bgrewrite_status', 'aof_last_write_status']
    .filter((status) => infoField(info, status) === 'err')
    .join(', ');
  return failed === ''
    ? { name, verdict: 'ok', message: 'what it last wrote to its disk is there' }
    : {
        name,
        verdict: 'warning',
        message: `what it last wrote to its disk failed (${failed})`,
        why: 'it may take no writes until it can save again: nobody new is admitted then (503 UNAVAILABLE)',
        remedy: 'look at its log, and at the room on its disk',
      };
}

function judgeEviction(store: string, info: string): CheckResult {
  const name = `${store}.eviction`;
  const policy = infoField(info, 'maxmemory_policy');
  return policy === 'noeviction'
    ? { name, verdict: 'ok', message: 'maxmemory-policy is noeviction' }
    : {
        name,
        verdict: 'promise_void',
        message: `maxmemory-policy is ${policy}`,
        why: 'a holder that is evicted could be admitted twice, under another id',
        remedy: 'CONFIG SET maxmemory-policy noeviction, and the same in redis.conf',
      };
}

function isOlder(version: string, [major = 0, minor = 0]: number[]): boolean {
  const [ownMajor, ownMinor] = version.split('.').map(Number);
  return Number.isNaN(ownMajor)
    ? false
    : ownMajor! < major || (ownMajor === major && (ownMinor ?? 0) < minor);
}
