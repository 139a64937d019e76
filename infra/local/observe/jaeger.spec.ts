import { expect, test } from 'vitest';
import { environmentSchema } from '#platform/config/config.ts';
import { tracesElsewhere } from './jaeger.ts';

test('where Jaeger cannot be had, the settings are named that lead traces to another receiver', () => {
  const [, words = ''] = /start firstcome with (.*)/.exec(tracesElsewhere) ?? [];
  const settings = Object.fromEntries(words.split(' ').map((word) => word.split('=')));
  const { TRACES, OTEL_EXPORTER_OTLP_ENDPOINT } = environmentSchema.parse(settings);
  expect(TRACES).toBe('on');
  expect(Object.keys(settings)).toContain('OTEL_EXPORTER_OTLP_ENDPOINT');
  expect(OTEL_EXPORTER_OTLP_ENDPOINT).toMatch(/^http:\/\/HOST:4318$/);
});
