import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { BatchContext } from '../batch-context.ts';
import type { BatchTransportOptions } from '../batch-transport-options.ts';
import { KafkaBatchTransport } from '../batch-transport.ts';
import type { RecordBatch } from '../../consumed-record.ts';
import { TestTopics, testKafka } from '../../../../test/harness/stores/test-topics.ts';

// Each test has a topic and a group of its own: they run side by side.
const topics = new TestTopics();
const open: Reader[] = [];
const soon = { timeout: 20_000, interval: 50 };

beforeAll(() => topics.open());
afterAll(async () => {
  await Promise.all(open.map((reader) => reader.close()));
  await topics.close();
});

/** Reads a topic as `TOPIC.group`; fails while `isAway` says so. */
class Reader {
  readonly seen: string[] = [];
  isAway = false;
  readonly transport: KafkaBatchTransport;

  constructor(
    readonly topic: string,
    options: Partial<BatchTransportOptions> = {},
  ) {
    this.transport = new KafkaBatchTransport({
      kafka: testKafka(),
      groupId: `${topic}.group`,
      onCrash: () => {},
      ...options,
    });
    this.transport.addHandler(topic, this.handle.bind(this) as never, true);
    this.transport.listen(() => {});
    open.push(this);
  }

  close(): Promise<void> {
    return this.transport.close();
  }

  async untilSeen(values: string[]): Promise<void> {
    await vi.waitFor(() => expect(this.seen).toEqual(values), soon);
  }

  async untilStopped(reason: string): Promise<void> {
    await vi.waitFor(
      () =>
        expect(
          this.transport
            .stoppedPartitions()
            .map((at) => at.reason)
            .join(),
        ).toContain(reason),
      soon,
    );
  }

  private async handle({ records }: RecordBatch, context: BatchContext): Promise<void> {
    if (this.isAway) {
      throw new Error('the database is away');
    }
    this.seen.push(...records.map(({ value }) => String(value)));
    await context.resolve(records.at(-1)!.offset);
  }
}

function committed(topic: string): Promise<string | undefined> {
  return topics.committed(`${topic}.group`, topic).then((offsets) => offsets.get(0));
}

/** A topic whose first partition holds 'a', 'b', 'c', 'd', and a group that has read the first two. */
async function halfReadTopic(): Promise<string> {
  const topic = await topics.create(2);
  await topics.append(topic, 0, ['a', 'b']);
  const reader = new Reader(topic);
  await reader.untilSeen(['a', 'b']);
  await vi.waitFor(async () => expect(await committed(topic)).toBe('2'), soon);
  await reader.close();
  await topics.append(topic, 0, ['c', 'd']);
  return topic;
}

describe.concurrent('a group whose next record is not in the log any more', () => {
  it('is stopped there, told how to go on, and skips nothing; its other partitions go on', async () => {
    const topic = await halfReadTopic();
    await topics.deleteBefore(topic, 0, '3');
    const reader = new Reader(topic);
    await reader.untilStopped('the log begins at 3, the next offset is 2: 1 records were deleted');
    expect(reader.transport.stoppedPartitions()).toMatchObject([
      { topic, partition: 0, offset: '2' },
    ]);
    expect(reader.transport.state().description).toContain(
      `kafka-consumer-groups --group ${topic}.group --topic ${topic}:0 --reset-offsets`,
    );
    await topics.append(topic, 1, ['beside']);
    await reader.untilSeen(['beside']);
    expect(await committed(topic)).toBe('2');

    await reader.close();
    await topics.commit(topic, `${topic}.group`, '3');
    await new Reader(topic).untilSeen(['d']);
  });

  it('is stopped as well when that happens while it waits for its handler', async () => {
    const topic = await topics.create(1);
    const reader = new Reader(topic);
    await topics.append(topic, 0, ['a']);
    await reader.untilSeen(['a']);
    reader.isAway = true;
    await topics.append(topic, 0, ['b', 'c']);
    await vi.waitFor(() => expect(reader.transport.state().description).toContain('away'), soon);
    await topics.deleteBefore(topic, 0, '2');
    reader.isAway = false;
    await reader.untilStopped('the log begins at 2, the next offset is 1');
    expect(reader.seen).toEqual(['a']);
    expect(await committed(topic)).toBe('1');
  });
});

describe.concurrent('a topic that was created anew', () => {
  it('stops a group that is ahead of its end', async () => {
    const topic = await halfReadTopic();
    await topics.commit(topic, `${topic}.group`, '50');
    const reader = new Reader(topic);
    await reader.untilStopped('the log ends at 4, the next offset is 50');
    expect(reader.seen).toEqual([]);
    expect(await committed(topic)).toBe('50');
  });

  it('stops a group that Kafka has forgotten with it, when somebody remembers', async () => {
    const topic = await topics.create(1);
    await topics.append(topic, 0, ['a', 'b']);
    let isRemembered = false;
    const reader = new Reader(topic, { wasRead: () => Promise.resolve(isRemembered) });
    await reader.untilSeen(['a', 'b']);
    isRemembered = true;
    await topics.recreate(topic, 1);
    await topics.append(topic, 0, ['new']);
    await reader.untilStopped('the topic was created anew');
    expect(reader.seen).toEqual(['a', 'b']);
  });
});

describe.concurrent('a group without an offset', () => {
  it('that is new commits where it begins before it reads', async () => {
    const topic = await topics.create(1);
    const reader = new Reader(topic);
    await vi.waitFor(async () => expect(await committed(topic)).toBe('0'), soon);
    await topics.append(topic, 0, ['a']);
    await reader.untilSeen(['a']);
  });

  it('is stopped when the log has lost its beginning', async () => {
    const topic = await topics.create(1);
    await topics.append(topic, 0, ['a', 'b']);
    await topics.deleteBefore(topic, 0, '1');
    const reader = new Reader(topic);
    await reader.untilStopped('the log begins at 1: what stood before is gone unread');
    expect(reader.seen).toEqual([]);
  });

  it('waits until it is known whether anybody has read the log', async () => {
    const topic = await topics.create(1);
    await topics.append(topic, 0, ['a']);
    let isAway = true;
    const wasRead = (): Promise<boolean> =>
      isAway ? Promise.reject(new Error('the database is away')) : Promise.resolve(false);
    const reader = new Reader(topic, { wasRead });
    await vi.waitFor(() => expect(reader.transport.state().description).toContain('is away'), soon);
    expect(reader.seen).toEqual([]);
    isAway = false;
    await reader.untilSeen(['a']);
  });
});

it.concurrent('offsets that hold no record for us are nothing lost', async () => {
  const topic = await topics.create(1);
  await topics.append(topic, 0, ['a']);
  await topics.appendAborted(topic, 0, ['x', 'y']);
  const first = new Reader(topic);
  await first.untilSeen(['a']);
  await first.close();
  await topics.append(topic, 0, ['b']);
  const second = new Reader(topic);
  await vi.waitFor(() => expect(second.seen.at(-1)).toBe('b'), soon);
  expect(second.transport.stoppedPartitions()).toEqual([]);
});
