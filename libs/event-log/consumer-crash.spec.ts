import { KafkaJSGroupCoordinatorNotFound, KafkaJSNonRetriableError } from 'kafkajs';
import { expect, test } from 'vitest';
import { isPassingCrash } from './consumer-crash.js';

test('a group without a coordinator is waited for, also when the error comes wrapped', () => {
  // Its types know no argument, but it needs one.
  const notFound = Reflect.construct(KafkaJSGroupCoordinatorNotFound, ['not found']) as Error;
  expect(isPassingCrash(notFound)).toBe(true);
  const wrapped = Object.assign(new KafkaJSNonRetriableError('wrapped'), { cause: notFound });
  expect(isPassingCrash(wrapped)).toBe(true);
});

test('any other final error is final', () => {
  expect(isPassingCrash(new KafkaJSNonRetriableError('not authorised'))).toBe(false);
  expect(isPassingCrash(new Error('anything'))).toBe(false);
});
