import type { Kafka, TopicPartition } from 'kafkajs';
import type { LogFunction } from '#platform/logging/logging.ts';

export interface BatchTransportOptions {
  /** A client that nothing else consumes with (see createKafka). */
  kafka: Kafka;
  groupId: string;
  /** Put before every handler's pattern to get its topic: patterns are fixed, prefixes configured. */
  topicPrefix?: string;
  /**
   * True when records of a partition were processed before, as far as anybody remembers: a group
   * without an offset there has lost it. May reject, and is asked again then. Without it a group
   * without an offset is a new one.
   */
  wasRead?: (at: TopicPartition) => Promise<boolean>;
  /** The consumer is dead and will not come back; the process should exit with an error. */
  onCrash: (error: Error) => void;
  logger?: LogFunction;
  /** How many partitions are worked on at once. */
  partitionsConsumedConcurrently?: number;
  /** Most bytes of one fetch, over all partitions of a broker. */
  maxBytes?: number;
  /** Most bytes of one batch, unless a single record is larger. */
  maxBytesPerPartition?: number;
  /** How long `close` waits for handlers to finish the chunk in their hands. */
  drainTimeoutMs?: number;
}

export interface TransportState {
  status: 'connecting' | 'consuming' | 'crashed' | 'closed';
  /** For people: what it consumes, waits for, or has stopped, and why. */
  description: string;
}

export const drainTimeoutMs = 8_000;

export const transportDefaults = {
  topicPrefix: '',
  logger: (() => {}) as LogFunction,
  wasRead: (_at: TopicPartition): Promise<boolean> => Promise.resolve(false),
  partitionsConsumedConcurrently: 4,
  maxBytes: 8 * 1024 * 1024,
  maxBytesPerPartition: 1024 * 1024,
  drainTimeoutMs,
};

export type CompleteOptions = typeof transportDefaults & BatchTransportOptions;
