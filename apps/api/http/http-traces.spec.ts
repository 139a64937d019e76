import { fastify } from 'fastify';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { scriptStep } from '#platform/telemetry/steps.ts';
import type { TraceSettings } from '#platform/telemetry/tracing.ts';
import { Traces } from '#platform/telemetry/tracing.ts';
import { OtlpReceiver } from '../../../test/harness/otlp-receiver.ts';
import { newCaller } from '../../../test/harness/traces.ts';
import { carriedContext, traceRequests } from './http-traces.ts';

let receiver: OtlpReceiver;
let server: FastifyInstance;
let traces: Traces;

beforeEach(async () => {
  receiver = await OtlpReceiver.start();
});
afterEach(async () => {
  await server.close();
  await receiver.stop();
});

/** An api that does one thing for each request, and answers with the status in its path. */
async function serve(given: Partial<TraceSettings>): Promise<void> {
  const settings: TraceSettings = {
    TRACES: 'on',
    TRACES_SAMPLE_RATIO: 0,
    TRACES_KEEP_ERRORS: false,
    TRACES_KEEP_SLOW_MS: 0,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    GATE_REDIS_URL: 'redis://127.0.0.1:6379',
    MYSQL_URL: 'mysql://root@127.0.0.1:3306/firstcome',
    KAFKA_BROKERS: ['127.0.0.1:9092'],
    ...given,
  };
  traces = await Traces.open('test', settings, pino({ level: 'silent' }));
  server = fastify();
  traceRequests(server, traces, settings);
  server.get('/answer/:status', async (request, reply) => {
    const asked = { traceparent: carriedContext(request), trail: request.trail };
    await traces.during(scriptStep('reserve'), [asked], () => Promise.resolve());
    return reply.code(Number((request.params as { status: string }).status)).send();
  });
  server.get('/health/ready', (_request, reply) => reply.code(503).send());
}

/** The names of the spans of a request with that answer, and why it was kept. */
async function spansOf(path: string, flags: '00' | '01' = '00'): Promise<unknown[]> {
  const { traceparent, traceId } = newCaller(flags);
  await server.inject({ url: path, headers: { traceparent } });
  await traces.close();
  return receiver
    .ofTrace(traceId)
    .toSorted((a, b) => a.name.localeCompare(b.name))
    .map(({ name, attributes }) => [name, attributes['firstcome.kept']]);
}

const answer = 'GET /answer/:status';
const kept = (why: string) => [
  [answer, why],
  ['reserve', undefined],
];

describe('a request that is not sampled', () => {
  test.each<[Partial<TraceSettings>, string, unknown[]]>([
    [{}, '/answer/503', []],
    [{}, '/answer/200', []],
    [{ TRACES_KEEP_ERRORS: true }, '/answer/503', kept('error')],
    [{ TRACES_KEEP_ERRORS: true }, '/answer/500', kept('error')],
    [{ TRACES_KEEP_ERRORS: true }, '/answer/409', []],
    [{ TRACES_KEEP_ERRORS: true }, '/answer/200', []],
    [{ TRACES_KEEP_ERRORS: true }, '/health/ready', []],
    [{ TRACES_KEEP_SLOW_MS: 3_600_000 }, '/answer/200', []],
    [{ TRACES_KEEP_SLOW_MS: 3_600_000 }, '/answer/503', []],
    [{ TRACES_KEEP_ERRORS: true, TRACES_KEEP_SLOW_MS: 3_600_000 }, '/answer/503', kept('error')],
  ])('with %j, at %s: its spans are %j', async (settings, path, spans) => {
    await serve(settings);
    expect(await spansOf(path)).toEqual(spans);
  });

  test('of many that fail in a second, some are kept', async () => {
    await serve({ TRACES_KEEP_ERRORS: true });
    const callers = Array.from({ length: 200 }, () => newCaller('00'));
    const startedAt = Math.floor(performance.now() / 1_000);
    for (const { traceparent } of callers) {
      await server.inject({ url: '/answer/503', headers: { traceparent } });
    }
    const seconds = Math.floor(performance.now() / 1_000) - startedAt + 1;
    await traces.close();
    const spans = callers.flatMap(({ traceId }) => receiver.ofTrace(traceId));
    const roots = spans.filter(({ name }) => name === answer);
    expect(roots.length).toBeGreaterThanOrEqual(20);
    expect(roots.length).toBeLessThanOrEqual(20 * seconds);
    expect(spans).toHaveLength(2 * roots.length);
  });
});

test('one that is sampled has spans whatever its answer, and was not kept', async () => {
  await serve({ TRACES_KEEP_ERRORS: true });
  expect(await spansOf('/answer/503', '01')).toEqual([
    [answer, undefined],
    ['reserve', undefined],
  ]);
});

test('a path without a route is in no span: anything may be in it', async () => {
  await serve({});
  expect(await spansOf('/of/user-1', '01')).toEqual([['GET', undefined]]);
  expect(JSON.stringify(receiver.spans)).not.toContain('user-1');
});
