import { expect, it } from 'vitest';
import { environmentSchema } from '#platform/config/config.ts';
import { createKafka } from './kafka-client.ts';

it('log lines carry the message and the fields; what kafkajs repeats while it retries is debug', () => {
  const lines: unknown[] = [];
  const kafka = createKafka(environmentSchema.parse({}), 'test', (...line) => lines.push(line));
  kafka.logger().namespace('ConsumerGroup').error('Offset out of range', { partition: 3 });
  kafka.logger().namespace('Connection').error('Connection error', { broker: 'b:1' });
  expect(lines).toEqual([
    ['warn', 'Offset out of range', expect.objectContaining({ partition: 3 })],
    ['debug', 'Connection error', expect.objectContaining({ broker: 'b:1' })],
  ]);
});
