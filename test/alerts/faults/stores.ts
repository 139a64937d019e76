import type { Fault } from '../fault.ts';
import { expected } from '../fault.ts';
import type { AlertStack } from '../alert-stack.ts';

/** So much that what connections and scripts need beside it does not count. */
const ballastBytes = 64 * 1024 ** 2;

/** No part of the fault: it takes a busy disk seconds to write it down. */
async function fillGate(stack: AlertStack): Promise<void> {
  await stack.onGate((redis) => redis.set('ballast', Buffer.alloc(ballastBytes)));
}

/** Lets Redis have so little that this share of it is in use. */
async function limitGate(stack: AlertStack, share: number): Promise<void> {
  await stack.onGate(async (redis) => {
    const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))![1]);
    await redis.config('SET', 'maxmemory', String(Math.floor(used / share)));
  });
}

function emptyGate(stack: AlertStack): Promise<void> {
  return stack.onGate(async (redis) => {
    await redis.config('SET', 'maxmemory', '0');
    await redis.unlink('ballast');
  });
}

function gateFilled(severity: 'warning' | 'critical', share: number): Fault {
  return {
    what: `the gate Redis is filled to ${share * 100} % of its maxmemory`,
    expects: [expected('RedisMemoryHigh', severity, 2, { store: 'gate' })],
    prepare: fillGate,
    inject: async (stack) => {
      await limitGate(stack, share);
      return () => emptyGate(stack);
    },
  };
}

export const storeFaults: Fault[] = [
  {
    what: 'Kafka is killed (SIGKILL)',
    expects: [
      expected('StoreAway', 'critical', 4, { store: 'kafka' }),
      expected('ApiErrors', 'critical', 20),
      // The first answers fail after PUBLISH_TIMEOUT_MS; 2 % of the budget of this coupon is two.
      expected('CouponBurn', 'critical', 5),
    ],
    prepare: async (stack) => {
      stack.askedFor = await stack.stack.createCoupon(10_000);
    },
    inject: async (stack) => {
      const { broker } = stack;
      await broker.server.stop('SIGKILL');
      return async () => {
        await broker.server.start();
        stack.askedFor = stack.couponId;
      };
    },
  },
  {
    what: 'MySQL is killed (SIGKILL)',
    expects: [expected('StoreAway', 'critical', 4, { store: 'mysql' })],
    inject: async ({ ledger }) => {
      await ledger.stop('SIGKILL');
      return () => ledger.start();
    },
  },
  {
    what: 'the gate Redis is killed (SIGKILL)',
    expects: [expected('StoreAway', 'critical', 4, { store: 'gate' })],
    inject: async ({ gate }) => {
      await gate.stop('SIGKILL');
      return () => gate.start();
    },
  },
  {
    what: 'the Redis of the jobs is killed (SIGKILL)',
    expects: [expected('StoreAway', 'warning', 4, { store: 'jobs' })],
    inject: async ({ jobs }) => {
      await jobs.stop('SIGKILL');
      return () => jobs.start();
    },
  },
  gateFilled('warning', 0.9),
  gateFilled('critical', 0.97),
  {
    what: 'the gate Redis is full',
    expects: [expected('StoreRefusesWrites', 'critical', 4, { store: 'gate' })],
    prepare: fillGate,
    inject: async (stack) => {
      await limitGate(stack, 1.1);
      return () => emptyGate(stack);
    },
  },
  {
    what: 'MySQL is switched to read_only',
    expects: [expected('StoreRefusesWrites', 'critical', 4, { store: 'mysql' })],
    inject: async (stack) => {
      const set = async (value: number): Promise<void> => {
        const stranger = await stack.stranger();
        await stranger.query(`SET GLOBAL read_only = ${value}`);
        await stranger.end();
      };
      await set(1);
      return () => set(0);
    },
  },
  {
    what: 'the exporter of the gate Redis is stopped',
    expects: [expected('ExporterDown', 'warning', 10, { job: 'redis', store: 'gate' })],
    inject: async (stack) => {
      const exporter = stack.monitoring!.exporters.find(
        ({ plan }) => plan.name === 'gate-redis-exporter',
      )!;
      await exporter.stop();
      return () => exporter.start(new AbortController().signal);
    },
  },
];
