import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { topicNames } from '#event-log/topics.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import { logLines } from '../harness/log-lines.ts';
import type { ReceivedSpan } from '../harness/otlp-receiver.ts';
import { OtlpReceiver } from '../harness/otlp-receiver.ts';
import { startStack } from '../harness/stack/test-stack.ts';

const assign = 'POST /api/v1/coupons/assign';

let receiver: OtlpReceiver;
let stack: Stack;
let requested: string;
let decided: string;

beforeAll(async () => {
  receiver = await OtlpReceiver.start();
  stack = await startStack(undefined, {
    TRACES: 'on',
    TRACES_SAMPLE_RATIO: '0',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    RELAY_AFTER_MS: '500',
  });
  ({ requested, decided } = topicNames(stack.env['KAFKA_TOPIC_PREFIX']!));
});
afterAll(async () => {
  await stack?.stop();
  await receiver?.stop();
});

interface Caller {
  traceId: string;
  spanId: string;
  traceparent: string;
}

function newCaller(flags = '01'): Caller {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-${flags}` };
}

function assignAs(couponId: number, userId: string, traceparent?: string): Promise<Response> {
  return fetch(`${stack.app('api').publicUrl}/api/v1/coupons/assign`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(traceparent !== undefined && { traceparent }),
    },
    body: JSON.stringify({ user_id: userId, coupon_id: couponId }),
  });
}

/** Each span as a path of names from the root of what we made, with who made it. */
function pathsOf(spans: ReceivedSpan[]): string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const pathOf = (span: ReceivedSpan): string => {
    const parent = byId.get(span.parentSpanId ?? '');
    const name = `${String(span.service).replace('firstcome-', '')}:${span.name}`;
    return parent === undefined ? name : `${pathOf(parent)} > ${name}`;
  };
  return spans.map(pathOf).toSorted();
}

const ofIssuer = (root: string): string[] => {
  const process = `${root} > issuer:process ${requested}`;
  return [
    process,
    `${process} > issuer:send ${decided}`,
    `${process} > issuer:transaction`,
    `${process} > issuer:write_hints`,
  ];
};

test('one trace from the request through Redis, Kafka and the transaction to the hint', async () => {
  const couponId = await stack.createCoupon(10);
  const caller = newCaller();
  const answer = await assignAs(couponId, 'traced-user', caller.traceparent);
  expect(answer.status).toBe(200);
  const { issuance_id: issuanceId } = (await answer.json()) as { issuance_id: string };
  const root = `api:${assign}`;
  const send = `${root} > api:send ${requested}`;
  await expect
    .poll(() => pathsOf(receiver.ofTrace(caller.traceId)), { timeout: 20_000 })
    .toEqual([root, `${root} > api:confirm`, `${root} > api:reserve`, send, ...ofIssuer(send)]);

  const spans = receiver.ofTrace(caller.traceId);
  const named = (name: string) => spans.find((span) => span.name === name)!;
  expect(named(assign)).toMatchObject({
    parentSpanId: caller.spanId,
    kind: 'SERVER',
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/api/v1/coupons/assign',
      'http.response.status_code': 200,
    },
  });
  expect(named(`send ${requested}`)).toMatchObject({
    kind: 'PRODUCER',
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': expect.stringContaining(requested) as string,
      'firstcome.issuance_id': issuanceId,
    },
  });
  expect(named(`process ${requested}`)).toMatchObject({
    kind: 'CONSUMER',
    attributes: { 'messaging.operation.type': 'process', 'firstcome.issuance_id': issuanceId },
  });
  expect(named('transaction')).toMatchObject({
    kind: 'CLIENT',
    attributes: { 'db.system.name': 'mysql' },
  });
  expect(named('write_hints').attributes).toMatchObject({ 'db.system.name': 'redis' });
  expect(spans.filter(({ hasFailed }) => hasFailed)).toEqual([]);
  expect(JSON.stringify(spans)).not.toContain('traced-user');
});

test('requests of a batch each have their own trace, and the batch links to all of them', async () => {
  const couponId = await stack.createCoupon(100);
  const callers = Array.from({ length: 40 }, () => newCaller());
  await Promise.all(callers.map(({ traceparent }, i) => assignAs(couponId, `u${i}`, traceparent)));
  const processed = (traceId: string) =>
    receiver.ofTrace(traceId).find(({ name }) => name === `process ${requested}`);
  await expect
    .poll(() => callers.filter(({ traceId }) => processed(traceId)).length, { timeout: 20_000 })
    .toBe(callers.length);
  for (const name of [`process ${requested}`, `send ${requested}`]) {
    const named = receiver.spans.filter((span) => span.name === name);
    const batches = named.filter(({ links }) => links.length > 0);
    expect(batches.length).toBeGreaterThan(0);
    for (const { attributes, links } of batches) {
      expect(attributes['messaging.batch.message_count']).toBe(links.length);
    }
    const linked = new Set(batches.flatMap(({ links }) => links.map(({ spanId }) => spanId)));
    const inBatches = named.filter(
      ({ links, attributes }) =>
        links.length === 0 && Number(attributes['messaging.batch.message_count']) > 1,
    );
    expect(inBatches.filter(({ spanId }) => !linked.has(spanId))).toEqual([]);
  }
});

test('the trace of a request whose api was killed goes on in the keeper that relays it', async () => {
  const couponId = await stack.createCoupon(10);
  const caller = newCaller();
  const doomed = await stack.startApp('api', { FAULT_POINT: 'api.reserved' });
  await expect(assignAs(couponId, 'relayed', caller.traceparent)).rejects.toThrow();
  await doomed.exit();
  const send = `keeper:send ${requested}`;
  await expect
    .poll(() => pathsOf(receiver.ofTrace(caller.traceId)), { timeout: 20_000 })
    .toEqual(['keeper:confirm', send, ...ofIssuer(send)].toSorted());
  await stack.startApp('api');
});

test('who is not sampled has no spans, unless he failed: then one, under the trace of the log line', async () => {
  const couponId = await stack.createCoupon(10);
  const served = newCaller('00');
  expect((await assignAs(couponId, 'served', served.traceparent)).status).toBe(200);

  const away = { GATE_REDIS_URL: 'redis://127.0.0.1:1', TRACES_KEEP_ERRORS: 'true' };
  const api = await stack.startApp('api', away, { waitUntilReady: false });
  const isUp = () =>
    fetch(`${api.publicUrl}/health/live`).then(
      ({ ok }) => ok,
      () => false,
    );
  await expect.poll(isUp, { timeout: 20_000 }).toBe(true);
  const failed = newCaller('00');
  expect((await assignAs(couponId, 'failed', failed.traceparent)).status).toBe(503);
  await expect.poll(() => receiver.ofTrace(failed.traceId)).toHaveLength(1);
  expect(receiver.ofTrace(failed.traceId)[0]).toMatchObject({
    name: assign,
    parentSpanId: failed.spanId,
    hasFailed: true,
    attributes: { 'firstcome.kept': 'error', 'error.type': '503' },
  });
  expect(receiver.ofTrace(served.traceId)).toEqual([]);

  const answer = await assignAs(couponId, 'without-a-trace');
  const { request_id: requestId } = (await answer.json()) as { request_id: string };
  const line = () =>
    logLines(api.output).find((each) => each['http.request.id'] === requestId)?.['trace.id'];
  await expect.poll(line).toMatch(/^[\da-f]{32}$/);
  await expect.poll(() => receiver.ofTrace(String(line()))).toHaveLength(1);
});

test('a receiver that is away, or mute, holds up nobody, not even the end of a process', async () => {
  const mute = createServer(() => {}).listen(0, '127.0.0.1');
  await new Promise((resolve) => mute.once('listening', resolve));
  const { port } = mute.address() as AddressInfo;
  for (const endpoint of ['http://127.0.0.1:1', `http://127.0.0.1:${port}`]) {
    const couponId = await stack.createCoupon(1_000);
    const api = await stack.startApp('api', {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      TRACES_SAMPLE_RATIO: '1',
    });
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => assignAs(couponId, `u${i}`)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const saysSo = () =>
      logLines(api.output).some(({ message }) => message.startsWith('spans could not be sent'));
    await expect.poll(saysSo, { timeout: 15_000 }).toBe(true);
    api.signal('SIGTERM');
    expect(await api.exit()).toEqual({ code: 0, signal: null });
  }
  mute.close();
});
