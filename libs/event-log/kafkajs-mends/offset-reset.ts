import type { TopicPartition } from 'kafkajs';
import { innerModule } from './replace-module.ts';

/** What we use of a class inside kafkajs 2.2.4: the offsets of one member of a group. */
interface OffsetManager {
  memberId: string;
  nextOffset(topic: string, partition: number): { toString(): string };
  setDefaultOffset(at: TopicPartition): Promise<void>;
}

/** Hears of an offset that the log does not have, and sees to the partition, which must be paused. */
export type OutOfRangeListener = (at: TopicPartition, offset: string) => void;

const { prototype } = innerModule<{ prototype: OffsetManager }>('consumer/offsetManager').exports;
const listeners = new Map<string, OutOfRangeListener>();
// oxlint-disable-next-line typescript/unbound-method -- called below with the `this` it needs
const reset = prototype.setDefaultOffset;

/**
 * Where the log does not have the next offset of a consumer, kafkajs commits the default one in its
 * place and goes on from there, with no word to us. That skips what retention has deleted unread, or
 * what a topic that was created anew begins with, and takes the evidence away. A consumer that
 * listens is told instead, and nothing is committed.
 */
prototype.setDefaultOffset = async function (this: OffsetManager, at): Promise<void> {
  const listener = listeners.get(this.memberId);
  if (listener === undefined) {
    await reset.call(this, at);
  } else {
    listener(at, String(this.nextOffset(at.topic, at.partition)));
  }
};

/** Listens for a member of a group; returns what ends it. */
export function onOffsetOutOfRange(memberId: string, listener: OutOfRangeListener): () => void {
  listeners.set(memberId, listener);
  return () => listeners.delete(memberId);
}
