import { Redis } from 'ioredis';
import mysql from 'mysql2/promise';
import type { Stack } from '../infra/harness/stack.ts';
import { waitUntil } from '../infra/local/processes/waiting.ts';

const openDeadlineMs = 600_000;

export interface Sizes {
  ended: number;
  running: number;
  holders: number;
  seconds: number;
}

/** What the bench does to the stores of the stack, and reads from them. */
export class RestStores {
  private readonly redis: Redis;
  private readonly pool: mysql.Pool;
  private readonly prefix: string;

  constructor(stack: Stack) {
    this.redis = new Redis(stack.env['GATE_REDIS_URL']!);
    this.redis.on('error', () => {});
    this.pool = mysql.createPool({ uri: stack.env['MYSQL_URL']!, connectionLimit: 2 });
    this.prefix = stack.env['GATE_KEY_PREFIX']!;
  }

  /** Those that have ended have ids from 1, those that run come behind them. */
  async plant({ ended, running, holders }: Sizes): Promise<void> {
    const rows = Array.from({ length: ended + running }, (_, i) => [
      i + 1,
      `coupon ${i + 1}`,
      1_000,
      i < ended ? holders : 0,
      i % 8,
      1,
      i < ended ? 'closed' : 'open',
      1,
      1,
    ]);
    for (let from = 0; from < rows.length; from += 1_000) {
      await this.pool.query(
        `INSERT INTO coupon
           (id, name, total, issued, kafka_partition, version, state, epoch, applied_epoch)
         VALUES ?`,
        [rows.slice(from, from + 1_000)],
      );
      const issued = rows.slice(from, from + 1_000).filter(([id]) => Number(id) <= ended);
      const issuances = issued.flatMap(([id]) =>
        Array.from({ length: holders }, (_, i) => [
          Buffer.from(
            `0190000000007000${(Number(id) * 1_000 + i).toString(16).padStart(16, '0')}`,
            'hex',
          ),
          id,
          Buffer.from(`customer-${i}`),
          1,
          1_764_000_000_000,
        ]),
      );
      if (issuances.length > 0) {
        await this.pool.query(
          'INSERT INTO issuance (id, coupon_id, user_id, epoch, issued_at) VALUES ?',
          [issuances],
        );
      }
    }
  }

  /** Whether this version archives coupons. */
  async canArchive(): Promise<boolean> {
    const [columns] = await this.pool.query("SHOW COLUMNS FROM coupon LIKE 'archived_at'");
    return (columns as unknown[]).length > 0;
  }

  /** Every gate from `first` to `last` was opened on this run of Redis. */
  untilOpen(first: number, last = first): Promise<true> {
    return waitUntil(async () => ((await this.areOpen(first, last)) ? true : undefined), {
      deadlineMs: openDeadlineMs,
      failure: () => 'The gates do not open.',
    });
  }

  async untilArchived(): Promise<true> {
    return waitUntil(
      async () => {
        const [rows] = await this.pool.query(
          "SELECT COUNT(*) AS live FROM coupon WHERE archived_at IS NULL AND state = 'closed'",
        );
        return (rows as { live: number }[])[0]!.live === 0 ? true : undefined;
      },
      { deadlineMs: openDeadlineMs, failure: () => 'They are not archived.' },
    );
  }

  async gateFigures(): Promise<{ scripts: number; redisBytes: number }> {
    const stats = await this.redis.info('commandstats');
    const calls = [...stats.matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+)/gm)];
    const memory = /^used_memory:(\d+)/m.exec(await this.redis.info('memory'));
    return {
      scripts: calls.reduce((sum, [, count]) => sum + Number(count), 0),
      redisBytes: Number(memory?.[1]),
    };
  }

  async close(): Promise<void> {
    this.redis.disconnect();
    await this.pool.end();
  }

  private async areOpen(first: number, last: number): Promise<boolean> {
    try {
      const runId = /^run_id:(\w+)/m.exec(await this.redis.info('server'))?.[1];
      const pipeline = this.redis.pipeline();
      for (let id = first; id <= last; id += 1) {
        pipeline.hmget(`${this.prefix}{coupon:${id}}:meta`, 'run_id', 'epoch', 'min_epoch');
      }
      const replies = (await pipeline.exec()) ?? [];
      return replies.every(([, fields]) => {
        const [openedOn, epoch, minEpoch] = fields as (string | null)[];
        return openedOn === runId && Number(epoch) >= Number(minEpoch);
      });
    } catch {
      return false;
    }
  }
}
