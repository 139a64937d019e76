import { KafkaJSGroupCoordinatorNotFound, KafkaJSNonRetriableError } from 'kafkajs';
import { expect, test } from 'vitest';
import { isPassingCrash } from './consumer-crash.js';

test('a group without a coordinator is waited for, also when the error comes wrapped', () => {
  const notFound = new KafkaJSGroupCoordinatorNotFound();
  expect(isPassingCrash(notFound)).toBe(true);
  const wrapped = Object.assign(new KafkaJSNonRetriableError('wrapped'), { cause: notFound });
  expect(isPassingCrash(wrapped)).toBe(true);
});

test('any other final error is final', () => {
  expect(isPassingCrash(new KafkaJSNonRetriableError('not authorised'))).toBe(false);
  expect(isPassingCrash(new Error('anything'))).toBe(false);
});
