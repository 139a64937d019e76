import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import Fastify from 'fastify';
import { Redis } from 'ioredis';
import { processHeader } from '#platform/process/process-header.ts';
import { takeKeys } from './take-keys.ts';

/**
 * What assign is compared with, as a process of its own: takes the same body on the same route, and
 * answers a constant of the same size. With BENCH_REDIS_URL it first makes one plain Lua call for
 * each request over one connection: each written by itself, as ioredis does unless told otherwise, or
 * with BENCH_AUTO_PIPELINING=1 all of one turn of the event loop together.
 */

interface AssignBody {
  user_id: string;
  coupon_id: number;
}

const constantAnswer = {
  issuance_id: '01a2027b-d680-7c3a-9d1e-0d5c2b9f4a11',
  coupon_id: 123,
  user_id: 'r01-lua-0256-1-0000000001',
  status: 'ACCEPTED',
  accepted_at: '2026-11-22T09:00:00.000Z',
  status_url: '/api/v1/issuances/01a2027b-d680-7c3a-9d1e-0d5c2b9f4a11',
};

const app = Fastify({ logger: false });
const redisUrl = process.env['BENCH_REDIS_URL'];

app.get('/health/ready', async (_, reply) =>
  reply.header(processHeader, process.pid).send('ready'),
);

if (redisUrl === undefined) {
  app.post('/api/v1/coupons/assign', async () => constantAnswer);
} else {
  const take = await prepareTake(redisUrl, process.env['BENCH_KEY_PREFIX'] ?? '');
  app.post<{ Body: AssignBody }>('/api/v1/coupons/assign', async ({ body }, reply) => {
    if ((await take(body)) !== 1) {
      void reply.code(409);
    }
    return constantAnswer;
  });
}
await app.listen({ host: '127.0.0.1', port: Number(process.env['BENCH_PORT']) });
// Connections that wrk keeps open would hold an orderly end up.
process.on('SIGTERM', () => process.exit(0));

async function prepareTake(url: string, prefix: string): Promise<(body: AssignBody) => unknown> {
  const redis = new Redis(url, {
    enableAutoPipelining: process.env['BENCH_AUTO_PIPELINING'] === '1',
  });
  const script = readFileSync(new URL('take.lua', import.meta.url), 'utf8');
  const digest = createHash('sha1').update(script).digest('hex');
  await redis.script('LOAD', script);
  return ({ coupon_id: couponId, user_id: userId }) => {
    const { left, holders } = takeKeys(prefix, couponId);
    return redis.evalsha(digest, 2, left, holders, userId);
  };
}
