import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { expect, test } from 'vitest';
import { ObservedMetrics } from './observed-metrics.ts';
import { RecordedValues } from './recorded-values.ts';

const boundaries = [0.001, 0.01, 0.1];
const values = [0, 0.0005, 0.001, 0.001_1, 0.01, 0.1, 0.100_1, 7];

test('is shown as a histogram of OpenTelemetry with the same values is', async () => {
  const reader = new PrometheusExporter({ preventServerStart: true });
  const meter = new MeterProvider({ readers: [reader] }).getMeter('firstcome');
  const description = 'Took.';
  const ofSdk = meter.createHistogram('took', {
    description,
    advice: { explicitBucketBoundaries: boundaries },
  });
  const recorded = new RecordedValues(boundaries);
  for (const value of values) {
    ofSdk.record(value, { route: 'a', status: 200 });
    recorded.record(value);
  }
  const observed = new ObservedMetrics();
  observed.histogram('took', description, (observe) =>
    observe(recorded, { route: 'a', status: 200 }),
  );
  const serializer = new PrometheusSerializer('', false, undefined, true, true);
  const shown = async (source: Pick<PrometheusExporter, 'collect'> | ObservedMetrics) =>
    serializer
      .serialize((await source.collect()).resourceMetrics)
      .split('\n')
      .filter((line) => /^(# (HELP|TYPE) )?took/.test(line));
  expect(await shown(observed)).toEqual(await shown(reader));
  expect(await shown(observed)).toContain('took_bucket{route="a",status="200",le="0.001"} 3');
});
