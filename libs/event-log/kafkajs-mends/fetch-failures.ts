import { innerModule } from './replace-module.ts';

/** Why a partition could not be read, in words; it stands where its next record would. */
export interface FetchFailure {
  reason: string;
  /** Of a batch that is not understood, and will not be by reading it again. */
  batch?: UnreadableBatch;
}

export interface UnreadableBatch {
  firstOffset: string;
  /** Where the log goes on behind it; none when that cannot be seen. */
  nextOffset: string | undefined;
}

/** What we use of a record as kafkajs 2.2.4 hands it on. */
export interface FetchedMessage {
  offset: string;
  key: Buffer | null;
  value: Buffer | null;
  timestamp: string;
  attributes: number;
  headers: Record<string, never>;
  isControlRecord: boolean;
  batchContext: { producerId: string; inTransaction: boolean };
}

interface FetchedPartition {
  partition: number;
  errorCode: number;
  messages: FetchedMessage[];
}

interface FetchResponse {
  responses: { topicName: string; partitions: FetchedPartition[] }[];
}

const failures = new WeakMap<object, FetchFailure>();
/** Behind any offset that was asked for, or kafkajs would leave it out. */
const lastOffsetOfAll = String(2n ** 63n - 1n);

/** What was in the way of reading on, when this is no record but stands for that. */
export function fetchFailureOf(message: object | undefined): FetchFailure | undefined {
  return message === undefined ? undefined : failures.get(message);
}

export function toFailedMessage(failure: FetchFailure): FetchedMessage {
  const message = emptyMessage(lastOffsetOfAll, false);
  failures.set(message, failure);
  return message;
}

/** A record that is none: kafkajs goes on behind it. */
export function toSkippedMessage(offset: string): FetchedMessage {
  return emptyMessage(offset, true);
}

function emptyMessage(offset: string, isControlRecord: boolean): FetchedMessage {
  return {
    offset,
    key: null,
    value: null,
    timestamp: '0',
    attributes: 0,
    headers: {},
    isControlRecord,
    batchContext: { producerId: '-1', inTransaction: false },
  };
}

/**
 * What kafkajs does something about when it hears it: an offset that is out of range, an unknown topic,
 * and leaders that are somewhere else (two more for epochs of leaders).
 */
const understood = new Set([1, 3, 5, 6, 74, 75]);

type Parse = (response: FetchResponse) => Promise<FetchResponse>;
const response = innerModule<{ parse: Parse }>('protocol/requests/fetch/v0/response');
const { createErrorFromCode } = innerModule<{
  createErrorFromCode: (code: number) => Error & { type?: string };
}>('protocol/error').exports;
const { parse } = response.exports;

/**
 * kafkajs throws a fetch away, and in the end its consumer, when a broker refuses a single partition: over
 * a disk that does not read, a batch that it finds corrupt, or a right that is missing. Here that is told
 * of this partition, and the others of the fetch go on.
 */
response.exports.parse = (data) => {
  const partitions = data.responses.flatMap((topic) => topic.partitions);
  for (const partition of partitions) {
    if (partition.errorCode !== 0 && !understood.has(partition.errorCode)) {
      const { type, message } = createErrorFromCode(partition.errorCode);
      partition.errorCode = 0;
      partition.messages = [
        toFailedMessage({ reason: `the broker does not hand it out: ${type}: ${message}` }),
      ];
    }
  }
  return parse(data);
};
