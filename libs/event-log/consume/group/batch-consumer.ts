import { strict as assert } from 'node:assert';
import type { Consumer, EachBatchPayload } from 'kafkajs';
import { requestTimeoutMs } from '../../kafka-client.ts';
import type { CompleteOptions } from '../batch-transport-options.ts';
import { drainTimeoutMs } from '../batch-transport-options.ts';
import { silenceMaxMs } from './consumer-pulse.ts';

const sessionTimeoutMs = 12_000;
export const heartbeatEveryMs = 3_000;
/** How long a join waits for a member that has still to finish what is in its hands. */
const rebalanceTimeoutMs = 15_000;
/**
 * A partition that kafkajs takes to have no leader, as when brokers have just started, is fetched by
 * nobody until it asks again who leads it: by default after five minutes.
 */
const metadataMaxAgeMs = 10_000;
/** The longest a fetch waits for records, and so a resumed partition for the next fetch. */
const fetchWaitMs = 100;
/**
 * A fetch that returned with the first record would cut a rush into chunks of a few dozen rows. This
 * is about 500 requests; fewer wait for `fetchWaitMs`.
 */
const fetchBytesMin = 128 * 1024;

assert(3 * heartbeatEveryMs <= sessionTimeoutMs, 'two lost heartbeats are no lost member');
assert(requestTimeoutMs < sessionTimeoutMs, 'a slow answer is not mistaken for a lost member');
assert(drainTimeoutMs < rebalanceTimeoutMs, 'a join waits for a member that drains');
assert(rebalanceTimeoutMs < silenceMaxMs, 'a member that waits for a join is not dead');

/** A consumer of kafkajs, set up for a transport; it connects to nothing by itself. */
export function createBatchConsumer(options: CompleteOptions, closing: AbortSignal): Consumer {
  const { kafka, groupId, maxBytes, maxBytesPerPartition } = options;
  return kafka.consumer({
    groupId,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: rebalanceTimeoutMs,
    heartbeatInterval: heartbeatEveryMs,
    metadataMaxAge: metadataMaxAgeMs,
    minBytes: fetchBytesMin,
    maxWaitTimeInMs: fetchWaitMs,
    maxBytes,
    maxBytesPerPartition,
    allowAutoTopicCreation: false,
    // A crash during `close` would otherwise start a consumer that nobody closes.
    retry: { restartOnFailure: () => Promise.resolve(!closing.aborted) },
  });
}

export async function connectTo(consumer: Consumer, topics: string[]): Promise<void> {
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
}

/** Does not reject: what goes wrong from here on is a CRASH event. */
export async function runBatches(
  consumer: Consumer,
  partitionsConsumedConcurrently: number,
  eachBatch: (payload: EachBatchPayload) => Promise<void>,
): Promise<void> {
  await consumer.run({
    eachBatchAutoResolve: false,
    // Every commitOffsetsIfNecessary() commits what was resolved. An explicit commitOffsets()
    // kills the consumer when it comes after a rebalance.
    autoCommitThreshold: 1,
    partitionsConsumedConcurrently,
    eachBatch,
  });
}
