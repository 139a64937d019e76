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
