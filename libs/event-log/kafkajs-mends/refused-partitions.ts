import { type FetchedMessage, toFailedMessage } from '../fetch-failure.ts';
import { innerModule } from './replace-module.ts';

interface FetchedPartition {
  partition: number;
  errorCode: number;
  messages: FetchedMessage[];
}

interface FetchResponse {
  responses: { topicName: string; partitions: FetchedPartition[] }[];
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
const parseRefused: Parse = (data) => {
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

response.replace({ ...response.exports, parse: parseRefused });
