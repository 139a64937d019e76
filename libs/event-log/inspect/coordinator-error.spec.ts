import { expect, test } from 'vitest';
import kafkajs from '../kafkajs.ts';
import { isCoordinatorAway } from './coordinator-error.ts';

const { KafkaJSGroupCoordinatorNotFound, KafkaJSNonRetriableError, KafkaJSProtocolError } = kafkajs;

test('a group without a coordinator is waited for, also when the error comes wrapped', () => {
  // Its types know no argument, but it needs one.
  const notFound = Reflect.construct(KafkaJSGroupCoordinatorNotFound, ['not found']) as Error;
  expect(isCoordinatorAway(notFound)).toBe(true);
  const wrapped = Object.assign(new KafkaJSNonRetriableError('wrapped'), { cause: notFound });
  expect(isCoordinatorAway(wrapped)).toBe(true);
});

test.each([
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
])('a coordinator that says %s is waited for', (type) => {
  expect(isCoordinatorAway(protocolError(type))).toBe(true);
});

test('any other error is what it is', () => {
  expect(isCoordinatorAway(new KafkaJSNonRetriableError('not authorised'))).toBe(false);
  expect(isCoordinatorAway(protocolError('UNKNOWN_TOPIC_OR_PARTITION'))).toBe(false);
  expect(isCoordinatorAway(new Error('anything'))).toBe(false);
});

function protocolError(type: string): kafkajs.KafkaJSProtocolError {
  return new KafkaJSProtocolError(Object.assign(new Error(type), { type, code: 0 }));
}
