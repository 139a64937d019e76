import { expect, it } from 'vitest';
import { judgeSaves } from './redis-checks.ts';

it.each(['rdb_last_bgsave_status', 'aof_last_bgrewrite_status', 'aof_last_write_status'])(
  'warns where %s says that Redis could not write to its disk',
  (status) => {
    const info = `# Persistence\r\nloading:0\r\n${status}:err\r\n`;
    expect(judgeSaves('redis.gate', info)).toMatchObject({
      name: 'redis.gate.saves',
      verdict: 'warning',
      message: expect.stringContaining(status),
    });
    expect(judgeSaves('redis.gate', info.replace('err', 'ok')).verdict).toBe('ok');
  },
);
