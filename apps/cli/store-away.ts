import { isConnectionError } from '#ledger/connection/driver-error.ts';
import { LedgerUnavailableError } from '#ledger/connection/ledger-connection.ts';
import { messageOf } from '#platform/text/error-message.ts';
import { NoAnswerError } from '#platform/work/waiting.ts';

/** What ioredis says of a connection that cannot be used, and has no code or class for. */
const gateSilence = [
  'Connection is closed.',
  'Command timed out',
  "Stream isn't writeable and enableOfflineQueue options is false",
];

/** In words, which store did not answer or refused its work; nothing for an error of another kind. */
export function storeAway(error: unknown): string | undefined {
  const { name } = error as Error;
  const message = messageOf(error);
  if (error instanceof StoreAwayError || error instanceof LedgerUnavailableError) {
    return message;
  }
  if (name.startsWith('KafkaJS') || error instanceof NoAnswerError) {
    return `Kafka (KAFKA_BROKERS) does not answer: ${message}`;
  }
  if (name === 'ReplyError') {
    return `the gate Redis (GATE_REDIS_URL) refuses its work: ${message}`;
  }
  if (name === 'MaxRetriesPerRequestError' || gateSilence.includes(message)) {
    return `the gate Redis (GATE_REDIS_URL) does not answer: ${message}`;
  }
  return isConnectionError(error) ? `MySQL (MYSQL_URL) does not answer: ${message}` : undefined;
}

/** A store that a command needs did not answer when it began; the message says which. */
export class StoreAwayError extends Error {
  override readonly name = 'StoreAwayError';
}
