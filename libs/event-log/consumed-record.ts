import type { KafkaMessage, TopicPartition } from 'kafkajs';

export type { TopicPartition } from 'kafkajs';

/** One record as it was read from the log. */
export interface ConsumedRecord {
  /** A 64-bit integer in decimal; compare with BigInt. */
  offset: string;
  key: Buffer | null;
  value: Buffer | null;
  /** Milliseconds since 1970. */
  timestamp: number;
  headers: Record<string, Buffer | string | (Buffer | string)[] | undefined>;
}

export function toConsumedRecord(message: KafkaMessage): ConsumedRecord {
  const { offset, key, value, timestamp, headers } = message;
  return { offset, key, value, timestamp: Number(timestamp), headers: headers ?? {} };
}

/** Consecutive records of one partition in the order of the log; at least one. */
export interface RecordBatch extends TopicPartition {
  records: ConsumedRecord[];
  /** The offset the next record written to this partition will get, when this batch was read. */
  highWatermark: string;
}
