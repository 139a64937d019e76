import { EventEmitter } from 'node:events';
import type { Consumer } from 'kafkajs';
import type { Mock } from 'vitest';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchPulse } from './consumer-pulse.js';
import { createKafka } from './kafka-client.js';

const { events } = createKafka(
  { KAFKA_BROKERS: ['127.0.0.1:1'], KAFKA_SSL: false, KAFKA_SASL_MECHANISM: '' } as never,
  'pulse',
).consumer({ groupId: 'any' });

const minuteMs = 60_000;
let emitter: EventEmitter;
let onSilence: Mock<(error: Error) => void>;

beforeEach(() => {
  vi.useFakeTimers();
  emitter = new EventEmitter();
  onSilence = vi.fn();
  watchPulse({ events, on: emitter.on.bind(emitter) as never as Consumer['on'] }, onSilence);
});
afterEach(() => vi.useRealTimers());

test('a consumer that has joined and then gives no sign of life is reported, once', () => {
  emitter.emit(events.GROUP_JOIN);
  vi.advanceTimersByTime(minuteMs);
  expect(onSilence).not.toHaveBeenCalled();
  vi.advanceTimersByTime(10 * minuteMs);
  expect(onSilence).toHaveBeenCalledOnce();
  expect(onSilence.mock.calls[0]?.[0]).toMatchObject({
    message: 'the consumer has given no sign of life for 70 s',
  });
});

test.each([
  'FETCH_START',
  'FETCH',
  'HEARTBEAT',
  'START_BATCH_PROCESS',
  'END_BATCH_PROCESS',
] as const)('%s is a sign of life', (sign) => {
  emitter.emit(events.GROUP_JOIN);
  for (let minutes = 0; minutes < 5; minutes += 1) {
    vi.advanceTimersByTime(minuteMs);
    emitter.emit(events[sign]);
  }
  expect(onSilence).not.toHaveBeenCalled();
});

test.each(['CRASH', 'DISCONNECT'] as const)('nothing is expected after %s', (end) => {
  emitter.emit(events.GROUP_JOIN);
  emitter.emit(events[end]);
  vi.advanceTimersByTime(10 * minuteMs);
  expect(onSilence).not.toHaveBeenCalled();
});

test('nothing is expected before the consumer has joined', () => {
  vi.advanceTimersByTime(10 * minuteMs);
  expect(onSilence).not.toHaveBeenCalled();
});
