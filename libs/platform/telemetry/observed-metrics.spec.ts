import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { expect, test } from 'vitest';
import { ObservedMetrics, seriesMax } from './observed-metrics.ts';

const observed = new ObservedMetrics();

async function shown(name: string): Promise<string[]> {
  const { resourceMetrics } = await observed.collect();
  const text = new PrometheusSerializer('', false, undefined, true, true).serialize(
    resourceMetrics,
  );
  return text.split('\n').filter((line) => line.startsWith(name));
}

test('what is not observed in this round is not shown, whatever was shown before', async () => {
  let known: Record<string, number | null> = { a: 1, b: 2 };
  observed.gauge('left', 'Left.', (observe) => {
    Object.entries(known).forEach(([id, value]) => observe(value, { id }));
  });
  expect(await shown('left')).toEqual(['left{id="a"} 1', 'left{id="b"} 2']);
  known = { a: 0, b: null };
  expect(await shown('left')).toEqual(['left{id="a"} 0']);
  known = {};
  expect(await shown('left')).toEqual([]);
});

test('the observable gauge of the SDK, which would be simpler, still shows its last value', async () => {
  const reader = new PrometheusExporter({ preventServerStart: true });
  const meter = new MeterProvider({ readers: [reader] }).getMeter('test');
  let known: number | undefined = 1;
  meter.createObservableGauge('left').addCallback((result) => {
    if (known !== undefined) result.observe(known);
  });
  const points = async () =>
    (await reader.collect()).resourceMetrics.scopeMetrics[0]?.metrics[0]?.dataPoints.length ?? 0;
  expect(await points()).toBe(1);
  known = undefined;
  // When this fails, opentelemetry-js issue 3080 is mended.
  expect(await points()).toBe(1);
});

test('a look that throws leaves its own metric out, and no other', async () => {
  observed.gauge('broken', 'Broken.', () => {
    throw new Error('no');
  });
  observed.counter('sound_total', 'Sound.', (observe) => observe(3));
  expect(await shown('broken')).toEqual([]);
  expect(await shown('sound_total')).toEqual(['sound_total 3']);
  expect((await observed.collect()).errors).toHaveLength(1);
});

test('new labels get series for ever; too many at once are cut, and that is said', async () => {
  let ids = [0];
  observed.gauge('coupon', 'One each.', (observe) => ids.forEach((id) => observe(id, { id })));
  for (let id = 0; id < seriesMax + 10; id += 1) {
    ids = [id];
    await observed.collect();
  }
  expect(await shown('coupon')).toEqual([`coupon{id="${seriesMax + 9}"} ${seriesMax + 9}`]);
  expect(await shown('firstcome_series_dropped')).toEqual([]);
  ids = Array.from({ length: seriesMax + 7 }, (_, id) => id);
  expect(await shown('coupon')).toHaveLength(seriesMax);
  expect(await shown('firstcome_series_dropped')).toEqual([
    'firstcome_series_dropped{metric="coupon"} 7',
  ]);
});

test('a counter of the SDK sums what is beyond its 2000 series of one interval, and loses nothing', async () => {
  const reader = new PrometheusExporter({ preventServerStart: true });
  const counter = new MeterProvider({ readers: [reader] }).getMeter('test').createCounter('many');
  for (let id = 0; id < 2_100; id += 1) counter.add(1, { id });
  const { resourceMetrics } = await reader.collect();
  const points = resourceMetrics.scopeMetrics[0]!.metrics[0]!.dataPoints;
  expect(points).toHaveLength(2_000);
  expect(points.find(({ attributes }) => attributes['otel.metric.overflow'] === true)?.value).toBe(
    101,
  );
});
