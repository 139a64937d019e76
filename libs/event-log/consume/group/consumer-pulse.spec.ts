import { EventEmitter } from 'node:events';
import type { Consumer } from 'kafkajs';
import type { Mock } from 'vitest';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchPulse } from './consumer-pulse.ts';
import { createKafka } from '../../kafka-client.ts';

const { events } = createKafka(
  { KAFKA_BROKERS: ['127.0.0.1:1'], KAFKA_SSL: false, KAFKA_SASL_MECHANISM: '' } as never,
  'pulse',
).consumer({ groupId: 'any' });

let emitter: EventEmitter;
let onSilence: Mock<(error: Error) => void>;

beforeEach(() => {
  vi.useFakeTimers();
  emitter = new EventEmitter();
  onSilence = vi.fn();
  watchPulse({ events, on: emitter.on.bind(emitter) as never as Consumer['on'] }, onSilence);
});
afterEach(() => vi.useRealTimers());

/** Of the time after which silence is reported, which is 70 s. */
const nearlyTooLongMs = 65_000;

function crash(restart: boolean): void {
  emitter.emit(events.DISCONNECT);
  emitter.emit(events.CRASH, { payload: { restart } });
}

test('a consumer that gives no sign of life is reported, once', () => {
  vi.advanceTimersByTime(nearlyTooLongMs);
  expect(onSilence).not.toHaveBeenCalled();
  vi.advanceTimersByTime(10 * nearlyTooLongMs);
  expect(onSilence).toHaveBeenCalledOnce();
  expect(onSilence.mock.calls[0]?.[0]).toMatchObject({
    message: 'the consumer has given no sign of life for 70 s',
  });
});

test.each([
  'REQUEST',
  'REQUEST_TIMEOUT',
  'FETCH',
  'START_BATCH_PROCESS',
  'END_BATCH_PROCESS',
] as const)('%s is a sign of life', (sign) => {
  for (let times = 0; times < 5; times += 1) {
    vi.advanceTimersByTime(nearlyTooLongMs);
    emitter.emit(events[sign]);
  }
  expect(onSilence).not.toHaveBeenCalled();
});

test('a consumer that crashes and never connects again is reported', () => {
  crash(true);
  vi.advanceTimersByTime(nearlyTooLongMs);
  expect(onSilence).not.toHaveBeenCalled();
  vi.advanceTimersByTime(10 * nearlyTooLongMs);
  expect(onSilence).toHaveBeenCalledOnce();
});

test('one that crashes again and again is not silent', () => {
  for (let times = 0; times < 5; times += 1) {
    vi.advanceTimersByTime(nearlyTooLongMs);
    crash(true);
  }
  expect(onSilence).not.toHaveBeenCalled();
});

test.each([
  ['it disconnects', () => emitter.emit(events.DISCONNECT)],
  ['a crash for good', () => crash(false)],
])('nothing is expected after %s', (_, end) => {
  end();
  vi.advanceTimersByTime(10 * nearlyTooLongMs);
  expect(onSilence).not.toHaveBeenCalled();
});
