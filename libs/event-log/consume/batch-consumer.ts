import type { Consumer, EachBatchPayload } from 'kafkajs';
import { messageOf } from '#platform/error-message.ts';
import type { CompleteOptions } from './batch-transport-options.ts';
import { watchPulse } from './consumer-pulse.ts';
import type { Log } from '../kafka-client.ts';
import type { FetchSwitch } from './partition-pauses.ts';

const sessionTimeoutMs = 12_000;
const heartbeatEveryMs = 3_000;
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
  { partitionsConsumedConcurrently, onCrash }: CompleteOptions,
  eachBatch: (payload: EachBatchPayload) => Promise<void>,
): Promise<void> {
  watchPulse(consumer, onCrash);
  await consumer.run({
    eachBatchAutoResolve: false,
    // Every commitOffsetsIfNecessary() commits what was resolved. An explicit commitOffsets()
    // kills the consumer when it comes after a rebalance.
    autoCommitThreshold: 1,
    partitionsConsumedConcurrently,
    eachBatch,
  });
}

/** Of the consumer in use. One that does not run fetches nothing, and is told again when it joins. */
export function fetchSwitchOf(inUse: () => Consumer | undefined, log: Log): FetchSwitch {
  const turn = (which: 'pause' | 'resume', topic: string, partition: number): void => {
    try {
      inUse()?.[which]([{ topic, partitions: [partition] }]);
    } catch (error) {
      log('debug', `${which} came between two consumers`, { error: messageOf(error) });
    }
  };
  return {
    pause: ({ topic, partition }) => turn('pause', topic, partition),
    resume: ({ topic, partition }) => turn('resume', topic, partition),
  };
}
