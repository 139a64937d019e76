import { expect, test } from 'vitest';
import { pino } from 'pino';
import { isSampled, placeOf, sampledAt } from './span-place.ts';
import { scriptStep } from './steps.ts';
import type { TraceSettings } from './tracing.ts';
import { Traces } from './tracing.ts';

const place = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
const settings: TraceSettings = {
  TRACES: 'on',
  TRACES_SAMPLE_RATIO: 0,
  TRACES_KEEP_ERRORS: false,
  TRACES_KEEP_SLOW_MS: 0,
  OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
  GATE_REDIS_URL: 'redis://127.0.0.1:6379',
  MYSQL_URL: 'mysql://root@127.0.0.1:3306/firstcome',
  KAFKA_BROKERS: ['127.0.0.1:9092'],
};
const silent = pino({ level: 'silent' });

test('a traceparent leads to its span, and says whether its trace is sampled', () => {
  expect(placeOf(sampledAt(place))).toEqual(place);
  expect(isSampled(sampledAt(place))).toBe(true);
  for (const [flags, sampled] of Object.entries({
    '00': false,
    '02': false,
    '03': true,
    ff: true,
  })) {
    expect(isSampled(`00-${place.traceId}-${place.spanId}-${flags}`)).toBe(sampled);
  }
  expect(isSampled(undefined)).toBe(false);
});

test('while traces are off, requests go on as they came', async () => {
  const requests = [{ traceparent: sampledAt(place) }, {}];
  const off = await Traces.open('test', { ...settings, TRACES: 'off' }, silent);
  expect(off.isOn).toBe(false);
  const carried = await off.during(scriptStep('reserve'), requests, (given) =>
    Promise.resolve(given),
  );
  expect(carried).toBe(requests);
});

test('of a batch only who is sampled gets a context of his own, in the trace he came with', async () => {
  const on = await Traces.open('test', settings, silent);
  const requests = [
    { userId: 'ann', traceparent: sampledAt(place) },
    { userId: 'bob', traceparent: `00-${place.traceId}-${place.spanId}-00` },
    { userId: 'eve' },
  ];
  const carried = await on.during(scriptStep('reserve'), requests, (given) =>
    Promise.resolve(given),
  );
  expect(carried.slice(1)).toEqual(requests.slice(1));
  const { traceId, spanId } = placeOf(carried[0]!.traceparent!);
  expect(traceId).toBe(place.traceId);
  expect(spanId).not.toBe(place.spanId);
  expect(carried[0]!.userId).toBe('ann');
  await on.close();
});

test('what fails inside of a step fails as it does without', async () => {
  const on = await Traces.open('test', settings, silent);
  const failing = on.during(scriptStep('reserve'), [{ traceparent: sampledAt(place) }], () =>
    Promise.reject(new TypeError('broken')),
  );
  await expect(failing).rejects.toThrow(TypeError);
  await on.close();
});

test.each([
  [0, undefined, false],
  [1, undefined, true],
  [1, `00-${place.traceId}-${place.spanId}-00`, false],
  [0, sampledAt(place), true],
])('at a ratio of %d, %s is sampled: %s', async (ratio, traceparent, sampled) => {
  const on = await Traces.open('test', { ...settings, TRACES_SAMPLE_RATIO: ratio }, silent);
  expect(on.samples(traceparent)).toBe(sampled);
  await on.close();
});
