import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { BatchTransportOptions } from './batch-transport-options.ts';
import { KafkaBatchTransport } from './batch-transport.ts';
import { TestTopics, testKafka } from '../../../test/harness/stores/test-topics.ts';
import type { BatchContext } from './batch-context.ts';
import type { RecordBatch } from '../consumed-record.ts';
import { PartitionStoppedError } from './batch-context.ts';

type Handler = (batch: RecordBatch, context: BatchContext) => Promise<void>;

// The tests mostly wait, each for its own topic and group: they run side by side.
const topics = new TestTopics();
const open: KafkaBatchTransport[] = [];
const soon = { timeout: 30_000, interval: 50 };
const recovery = { timeout: 40_000, interval: 50 };

beforeAll(() => topics.open());
afterAll(async () => {
  await Promise.all(open.map((transport) => transport.close()));
  await topics.close();
});

function consume(topic: string, handler: Handler, options: Partial<BatchTransportOptions> = {}) {
  const transport = new KafkaBatchTransport({
    kafka: testKafka(),
    groupId: `${topic}.group`,
    onCrash: (error) => {
      throw error;
    },
    ...options,
  });
  transport.addHandler(topic, handler as never, true);
  transport.listen(() => {});
  open.push(transport);
  return transport;
}

function values(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(from + index));
}

function valuesOf({ records }: RecordBatch): string[] {
  return records.map(({ value }) => String(value));
}

async function resolveAll({ records }: RecordBatch, context: BatchContext): Promise<void> {
  await context.resolve(records.at(-1)?.offset ?? '');
}

describe.concurrent('a working handler', () => {
  it('gets the records of a partition in the order of the log, whole batches at a time', async () => {
    const topic = await topics.create(1);
    await topics.append(topic, 0, values(0, 500));
    await topics.append(topic, 0, values(500, 500));
    const batches: RecordBatch[] = [];
    consume(topic, async (batch, context) => {
      batches.push(batch);
      await resolveAll(batch, context);
    });
    await vi.waitFor(() => expect(batches.flatMap(valuesOf)).toEqual(values(0, 1000)), soon);
    expect(batches.length).toBeLessThan(10);
    expect(batches[0]).toMatchObject({ topic, partition: 0, highWatermark: '1000' });
    const record = batches[0]?.records[7];
    expect(record).toMatchObject({ offset: '7', key: Buffer.from('7'), headers: {} });
    expect(record?.timestamp).toBeGreaterThan(Date.now() - 60_000);
  });

  it('commits an offset as soon as it is resolved, and not before', async () => {
    const topic = await topics.create(1);
    await topics.append(topic, 0, values(0, 10));
    const goOn = Promise.withResolvers<void>();
    const resolved = Promise.withResolvers<void>();
    consume(topic, async (batch, context) => {
      await context.resolve('3');
      resolved.resolve();
      await goOn.promise;
      await resolveAll(batch, context);
    });
    await resolved.promise;
    expect(await topics.committed(`${topic}.group`, topic)).toEqual(new Map([[0, '4']]));
    goOn.resolve();
    await vi.waitFor(
      async () => expect((await topics.committed(`${topic}.group`, topic)).get(0)).toBe('10'),
      soon,
    );
  });

  it('gets a record soon after it was written, in whatever partition', async () => {
    const topic = await topics.create(4);
    const seen: string[][] = [];
    const transport = consume(topic, async (batch, context) => {
      seen.push(valuesOf(batch));
      await resolveAll(batch, context);
    });
    await vi.waitFor(() => expect(transport.state().status).toBe('consuming'), soon);
    await topics.append(topic, 3, ['first']);
    await vi.waitFor(() => expect(seen).toEqual([['first']]), soon);
    await topics.append(topic, 2, ['second']);
    await vi.waitFor(() => expect(seen).toEqual([['first'], ['second']]), soon);
  });

  it('stays in its group while it works longer than the session lasts', async () => {
    const topic = await topics.create(1);
    await topics.append(topic, 0, ['slow']);
    let calls = 0;
    const done = Promise.withResolvers<boolean>();
    consume(topic, async (batch, context) => {
      calls += 1;
      // The session is 12 s; the coordinator looks for dead members all the time.
      await new Promise((resolve) => setTimeout(resolve, 14_000));
      done.resolve(context.isStale());
      await resolveAll(batch, context);
    });
    expect(await done.promise).toBe(false);
    await vi.waitFor(
      async () => expect((await topics.committed(`${topic}.group`, topic)).get(0)).toBe('1'),
      soon,
    );
    expect(calls).toBe(1);
  });
});

describe.concurrent('a failing handler', () => {
  it('gets the first unresolved record again after a pause, and none is skipped', async () => {
    const topic = await topics.create(1);
    await topics.append(topic, 0, values(0, 10));
    const calls: { at: number; values: string[] }[] = [];
    const decided: string[] = [];
    const transport = consume(topic, async (batch, context) => {
      calls.push({ at: performance.now(), values: valuesOf(batch) });
      if (calls.length === 1) {
        decided.push(...values(0, 4));
        await context.resolve('3');
      }
      if (calls.length <= 3) {
        throw new Error('the database is away');
      }
      decided.push(...valuesOf(batch));
      await resolveAll(batch, context);
    });
    await vi.waitFor(() => expect(transport.state().description).toContain('is away'), soon);
    await vi.waitFor(() => expect(decided).toEqual(values(0, 10)), soon);
    expect(calls.map((call) => call.values[0])).toEqual(['0', '4', '4', '4']);
    const pauses = calls.slice(1).map((call, index) => call.at - (calls[index]?.at ?? 0));
    expect(pauses[0]).toBeGreaterThan(490);
    expect(pauses[2]).toBeGreaterThan(1_990);
    // Not before the handler has returned.
    await vi.waitFor(
      () => expect(transport.state().description).toBe('consuming 1 partition'),
      soon,
    );
  });

  it('does not hold up the other partitions', async () => {
    const topic = await topics.create(2);
    await topics.append(topic, 0, ['bad']);
    await topics.append(topic, 1, ['good']);
    const seen: string[] = [];
    consume(topic, async (batch, context) => {
      if (batch.partition === 0) {
        throw new Error('no');
      }
      seen.push(...valuesOf(batch));
      await resolveAll(batch, context);
    });
    await vi.waitFor(() => expect(seen).toEqual(['good']), soon);
    await topics.append(topic, 1, ['better']);
    await vi.waitFor(() => expect(seen).toEqual(['good', 'better']), soon);
    expect((await topics.committed(`${topic}.group`, topic)).get(0)).toBe('0');
  });

  it('is treated as failing when it returns with records left, not called in a tight loop', async () => {
    const topic = await topics.create(1);
    await topics.append(topic, 0, values(0, 4));
    const calls: string[][] = [];
    const transport = consume(topic, async (batch, context) => {
      calls.push(valuesOf(batch));
      await context.resolve(batch.records[0]?.offset ?? '');
    });
    await vi.waitFor(() => expect(transport.state().description).toContain('unresolved'), soon);
    await vi.waitFor(() => expect(calls.length).toBe(4), soon);
    expect(calls.map((call) => call[0])).toEqual(values(0, 4));
  });
});

describe.concurrent('PartitionStoppedError', () => {
  it('stops its partition for good and no other, and says why', async () => {
    const topic = await topics.create(2);
    await topics.append(topic, 0, values(0, 5));
    const calls: string[][] = [];
    const others: string[] = [];
    const transport = consume(topic, async (batch, context) => {
      if (batch.partition === 1) {
        others.push(...valuesOf(batch));
        return resolveAll(batch, context);
      }
      calls.push(valuesOf(batch));
      await context.resolve('1');
      throw new PartitionStoppedError('record 2 has version 7, this is version 1');
    });
    await vi.waitFor(() => expect(transport.stoppedPartitions()).toHaveLength(1), soon);
    expect(transport.stoppedPartitions()).toEqual([
      { topic, partition: 0, offset: '2', reason: 'record 2 has version 7, this is version 1' },
    ]);
    expect(transport.state().description).toContain('version 7');
    for (const value of values(0, 3)) {
      await topics.append(topic, 1, [value]);
      await vi.waitFor(() => expect(others).toContain(value), soon);
    }
    expect(calls).toHaveLength(1);
    const offsets = new Map([
      [0, '2'],
      [1, '3'],
    ]);
    await expect.poll(() => topics.committed(`${topic}.group`, topic)).toEqual(offsets);
  });
});

describe.concurrent('a group of consumers', () => {
  it('shares the partitions, and the rest takes over when one leaves', async () => {
    const topic = await topics.create(4);
    const seen = new Map<string, string>();
    const consumeAs = (name: string) =>
      consume(topic, async (batch, context) => {
        valuesOf(batch).forEach((value) => seen.set(value, name));
        await resolveAll(batch, context);
      });
    const first = consumeAs('first');
    const second = consumeAs('second');
    await vi.waitFor(() => {
      expect(first.state().description).toBe('consuming 2 partitions');
      expect(second.state().description).toBe('consuming 2 partitions');
    }, soon);
    await Promise.all([0, 1, 2, 3].map((p) => topics.append(topic, p, [`shared-${p}`])));
    await vi.waitFor(() => expect(seen.size).toBe(4), soon);
    expect([...seen.values()].sort()).toEqual(['first', 'first', 'second', 'second']);

    await second.close();
    await Promise.all([0, 1, 2, 3].map((p) => topics.append(topic, p, [`taken-${p}`])));
    await vi.waitFor(() => expect(seen.size).toBe(8), soon);
    expect(values(0, 4).map((p) => seen.get(`taken-${p}`))).toEqual(Array(4).fill('first'));
  });

  it('tells a handler at work that the group rebalances, and commits the chunk in its hands', async () => {
    const topic = await topics.create(1);
    await topics.append(topic, 0, values(0, 3));
    const started = Promise.withResolvers<void>();
    const stale: boolean[] = [];
    const handler: Handler = async (batch, context) => {
      started.resolve();
      if (batch.records[0]?.offset === '0') {
        await vi.waitFor(() => expect(context.isStale()).toBe(true), soon);
        stale.push(context.isStale());
        await context.resolve('0');
        return;
      }
      await resolveAll(batch, context);
    };
    consume(topic, handler);
    await started.promise;
    const rest: string[] = [];
    const other: Handler = async (batch, context) => {
      rest.push(...valuesOf(batch));
      await handler(batch, context);
    };
    consume(topic, other);
    await vi.waitFor(() => expect(stale).toEqual([true]), soon);
    await vi.waitFor(
      async () => expect((await topics.committed(`${topic}.group`, topic)).get(0)).toBe('3'),
      soon,
    );
    expect(rest).not.toContain('0');
  });
});

describe.concurrent('consumers that come and go', () => {
  it('see every record of every partition in the order of the log', async () => {
    const topic = await topics.create(4);
    const count = 3_000;
    const seen = new Map<number, Set<string>>();
    const handler: Handler = async (batch, context) => {
      for (let start = 0; start < batch.records.length && !context.isStale(); start += 100) {
        const chunk = batch.records.slice(start, start + 100);
        await new Promise((resolve) => setTimeout(resolve, 10));
        const inPartition = seen.get(batch.partition) ?? new Set();
        chunk.forEach(({ value }) => inPartition.add(String(value)));
        seen.set(batch.partition, inPartition);
        await context.resolve(chunk.at(-1)?.offset ?? '');
      }
    };
    const smallBatches = { maxBytesPerPartition: 8 * 1024 };
    const start = () => consume(topic, handler, smallBatches);
    const first = start();
    await Promise.all([0, 1, 2, 3].map((p) => topics.append(topic, p, values(0, count))));
    await vi.waitFor(() => expect(seen.size).toBeGreaterThan(0), soon);
    const second = start();
    await vi.waitFor(() => expect(second.state().status).toBe('consuming'), soon);
    await first.close();
    start();
    await vi.waitFor(() => {
      const complete = [...seen.values()].filter((inPartition) => inPartition.size === count);
      expect(complete).toHaveLength(4);
    }, recovery);
    // A Set keeps the order of first sights: what came again after a rebalance changes nothing.
    for (const inPartition of seen.values()) {
      expect([...inPartition]).toEqual(values(0, count));
    }
  });
});

describe.concurrent('a transport that closes', () => {
  it('lets the handler finish its chunk, commits it and leaves the group', async () => {
    const topic = await topics.create(1);
    await topics.append(topic, 0, values(0, 10));
    const started = Promise.withResolvers<void>();
    const transport = consume(topic, async ({ records }, context) => {
      for (const { offset } of records) {
        if (context.isStale()) {
          return;
        }
        started.resolve();
        await new Promise((resolve) => setTimeout(resolve, 300));
        await context.resolve(offset);
      }
    });
    await started.promise;
    await transport.close();
    expect(transport.state().status).toBe('closed');
    expect(await topics.members(`${topic}.group`)).toBe(0);
    const committed = Number((await topics.committed(`${topic}.group`, topic)).get(0));
    expect(committed).toBeGreaterThan(0);
    expect(committed).toBeLessThan(10);

    const first = Promise.withResolvers<string>();
    consume(topic, async (batch, context) => {
      first.resolve(batch.records[0]?.offset ?? '');
      await resolveAll(batch, context);
    });
    expect(await first.promise).toBe(String(committed));
  });

  it('does not wait for ever for a handler that does not return', async () => {
    const topic = await topics.create(1);
    await topics.append(topic, 0, ['stuck']);
    const started = Promise.withResolvers<void>();
    const stuck = Promise.withResolvers<void>();
    const handler: Handler = () => {
      started.resolve();
      return stuck.promise;
    };
    const transport = consume(topic, handler, { drainTimeoutMs: 500 });
    await started.promise;
    const closingAt = performance.now();
    await transport.close();
    expect(performance.now() - closingAt).toBeLessThan(10_000);
    stuck.resolve();
  });
});

describe.concurrent('a transport whose log is not there', () => {
  it('comes up without a broker, says so, and closes at once', async () => {
    const topic = `${topics.prefix}nowhere`;
    const transport = consume(topic, () => Promise.resolve(), { kafka: testKafka('127.0.0.1:1') });
    await vi.waitFor(() => expect(transport.state().description).toMatch(/ECONNREFUSED/), {
      timeout: 20_000,
    });
    expect(transport.state().status).toBe('connecting');
    await transport.close();
  });

  it('waits for its topic to be created', async () => {
    const topic = `${topics.prefix}later`;
    const seen: string[] = [];
    const transport = consume(topic, async (batch, context) => {
      seen.push(...valuesOf(batch));
      await resolveAll(batch, context);
    });
    await vi.waitFor(() => expect(transport.state().description).toContain('topic'), {
      timeout: 20_000,
    });
    await topics.create(1, {}, topic);
    await topics.append(topic, 0, ['found']);
    await vi.waitFor(() => expect(seen).toEqual(['found']), { timeout: 20_000 });
  });
});

describe.concurrent('a transport that is put together wrongly', () => {
  const transport = () =>
    new KafkaBatchTransport({ kafka: testKafka(), groupId: 'unused', onCrash: () => {} });

  it('refuses to listen without a handler', () => {
    expect(() => transport().listen(() => {})).toThrow('@EventPattern');
  });

  it('refuses two handlers for one topic', () => {
    const doubled = transport();
    doubled.addHandler('twice', () => Promise.resolve(), true);
    doubled.addHandler('twice', () => Promise.resolve(), true);
    expect(() => doubled.listen(() => {})).toThrow('Two handlers for twice');
  });
});
