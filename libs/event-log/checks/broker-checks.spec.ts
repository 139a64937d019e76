import { expect, it } from 'vitest';
import { judgeVersion } from './broker-checks.ts';

it.each([
  [[], 'ok', '4.0 or newer'],
  [['3.9-IV0'], 'warning', 'Kafka 3.9'],
  [['3.10-IV0', '3.9-IV0'], 'warning', 'Kafka 3.9'],
  [['3.9-IV0', '2.1'], 'warning', 'Kafka 2.1'],
  [['3.9-IV0', '2.0-IV1'], 'promise_void', 'Kafka 2.0'],
  [['0.11.0-IV2'], 'promise_void', 'Kafka 0.11'],
])('goes by the oldest broker: %j is %s', (protocols, verdict, words) => {
  expect(judgeVersion(protocols)).toMatchObject({
    verdict,
    message: expect.stringContaining(words),
  });
});
