import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Stack } from '../../infra/harness/stack.ts';
import { OwnServer } from '../harness/servers/own-server.ts';
import { startStack } from '../harness/stack/test-stack.ts';

const answerMaxMs = 30_000;

describe('firstcome status, while a server stands still', () => {
  const servers = ['gate-redis', 'kafka', 'mysql'] as const;
  const own = new Map(servers.map((name) => [name, new OwnServer(name)]));
  let stack: Stack;

  beforeAll(async () => {
    stack = await startStack(['api']);
    await stack.createCoupon(10);
  });
  afterEach(() => own.forEach((server) => server.thaw()));
  afterAll(() => stack.stop());

  it.for([
    ['gate-redis', 'the gate Redis is away, nobody is admitted'],
    ['kafka', 'Kafka is away, nobody is admitted and nothing is decided'],
    ['mysql', 'MySQL is away, people are admitted and nothing is decided'],
  ] as const)(
    '%s is told of, in time, and the others are shown',
    async ([name, words], context) => {
      own.get(name)!.require(context);
      await own.get(name)!.freeze();
      const startedAt = performance.now();
      const { exitCode, stdout } = await stack.firstcome('status', '--json');
      expect(performance.now() - startedAt).toBeLessThan(answerMaxMs);
      expect(exitCode).toBe(69);
      const seen = JSON.parse(stdout) as {
        says: string;
        stores: { store: string; away: boolean }[];
      };
      expect(seen.says).toContain(`BROKEN: ${words}`);
      expect(seen.stores.filter(({ away }) => away).map(({ store }) => store)).toEqual([name]);
    },
  );
});
