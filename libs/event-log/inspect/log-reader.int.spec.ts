import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestTopics, testKafka } from '../../../test/harness/stores/test-topics.ts';
import { LogReadError, readTopic } from './log-reader.ts';

const topics = new TestTopics();

beforeAll(() => topics.open());
afterAll(() => topics.close());

async function readValues(topic: string): Promise<Map<number, string[]>> {
  const read = new Map<number, string[]>();
  await readTopic(testKafka(), topic, ({ value }, partition) => {
    read.set(partition, [...(read.get(partition) ?? []), String(value)]);
  });
  return read;
}

it.concurrent(
  'reads every record once, in order within its partition, past empty partitions',
  async () => {
    const topic = await topics.create(3);
    const many = Array.from({ length: 5_000 }, (_, index) => String(index));
    await topics.append(topic, 0, many);
    await topics.append(topic, 2, ['a', 'b']);
    expect(await readValues(topic)).toEqual(
      new Map([
        [0, many],
        [2, ['a', 'b']],
      ]),
    );
  },
);

it.concurrent('an empty topic is read at once', async () => {
  expect(await readValues(await topics.create(4))).toEqual(new Map());
});

it.concurrent(
  'starts where retention has left the log, also when it has left nothing',
  async () => {
    const topic = await topics.create(2);
    await topics.append(topic, 0, ['a', 'b', 'c']);
    await topics.append(topic, 1, ['d', 'e']);
    await topics.deleteBefore(topic, 0, '2');
    await topics.deleteBefore(topic, 1, '2');
    expect(await readValues(topic)).toEqual(new Map([[0, ['c']]]));
  },
);

it.concurrent('ends behind an aborted transaction, whose records it does not hand on', async () => {
  const topic = await topics.create(1);
  await topics.append(topic, 0, ['kept']);
  await topics.appendAborted(topic, 0, ['taken back']);
  expect(await readValues(topic)).toEqual(new Map([[0, ['kept']]]));
});

it.concurrent('reads past what compaction has removed', async () => {
  const topic = await topics.create(1, {
    'cleanup.policy': 'compact',
    'segment.ms': '100',
    'min.cleanable.dirty.ratio': '0.01',
    'delete.retention.ms': '0',
    'max.compaction.lag.ms': '100',
  });
  for (const value of ['a', 'a', 'a', 'b', 'a', 'b', 'c']) {
    await topics.append(topic, 0, [value]);
  }
  const read = await readValues(topic);
  expect(read.get(0)?.at(-1)).toBe('c');
});

it.concurrent('hands on slow records one at a time', async () => {
  const topic = await topics.create(2);
  await topics.append(topic, 0, ['a', 'b', 'c']);
  await topics.append(topic, 1, ['d', 'e', 'f']);
  let busy = 0;
  let busiest = 0;
  await readTopic(testKafka(), topic, async () => {
    busy += 1;
    busiest = Math.max(busiest, busy);
    await new Promise((resolve) => setTimeout(resolve, 20));
    busy -= 1;
  });
  expect(busiest).toBe(1);
});

it.concurrent('rejects with the error of the reader, and reads no further', async () => {
  const topic = await topics.create(1);
  await topics.append(topic, 0, ['a', 'b', 'c']);
  let records = 0;
  const onRecord = (): never => {
    records += 1;
    throw new RangeError('not this one');
  };
  const reading = readTopic(testKafka(), topic, onRecord);
  await expect(reading).rejects.toThrow(new RangeError('not this one'));
  expect(records).toBe(1);
});

it.concurrent('gives up, and says where it stood, when nothing comes', async () => {
  const topic = await topics.create(1);
  await topics.append(topic, 0, ['a', 'b']);
  const stuck = Promise.withResolvers<void>();
  const reading = readTopic(testKafka(), topic, () => stuck.promise, {
    idleTimeoutMs: 10_000,
  });
  await expect(reading).rejects.toThrow('partition 0 stands at 0 of 2');
  stuck.resolve();
});

it.concurrent('rejects when the topic or the brokers are not there', async () => {
  const options = { idleTimeoutMs: 3_000 };
  const onRecord = () => {};
  await expect(
    readTopic(testKafka(), `${topics.prefix}none`, onRecord, options),
  ).rejects.toBeInstanceOf(LogReadError);
  await expect(
    readTopic(testKafka('127.0.0.1:1'), 'any', onRecord, options),
  ).rejects.toBeInstanceOf(LogReadError);
});

// Not beside the others, which have groups of their own.
it('leaves no consumer group behind', async () => {
  const topic = await topics.create(1);
  await topics.append(topic, 0, ['a']);
  const before = await topics.groups();
  await readValues(topic);
  expect(before).toEqual(expect.arrayContaining(await topics.groups()));
});
