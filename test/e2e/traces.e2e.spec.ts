import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { topicNames } from '#event-log/topics.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import type { App } from '../../infra/local/processes/apps.ts';
import { logLines } from '../harness/log-lines.ts';
import type { ReceivedSpan } from '../harness/otlp-receiver.ts';
import { OtlpReceiver } from '../harness/otlp-receiver.ts';
import { TcpProxy } from '../harness/servers/tcp-proxy.ts';
import { startStack } from '../harness/stack/test-stack.ts';
import type { Caller } from '../harness/traces.ts';
import { expectedAttributes, newCaller, pathsOf } from '../harness/traces.ts';

const assign = 'POST /api/v1/coupons/assign';

/** Has a process say so when it loads what sends spans. */
const loadsExporter = 'loads the exporter';
const tellingLoads = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(
    `import { registerHooks } from 'node:module';
    registerHooks({ load: (url, context, next) => {
      if (url.includes('exporter-trace-otlp')) console.error('${loadsExporter}');
      return next(url, context);
    } });`,
  )}`,
};

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
      'url.path': '/api/v1/coupons/assign',
      'url.scheme': 'http',
    },
  });
  const attributes = expectedAttributes(stack.env, couponId, issuanceId);
  for (const [name, { kind, attributes: expected }] of Object.entries(attributes)) {
    expect(named(name)).toMatchObject({ kind });
    expect(named(name).attributes).toEqual(expected);
  }
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
        links.length === 0 && Number(attributes['firstcome.batch_size']) > 1,
    );
    expect(inBatches.length).toBeGreaterThan(0);
    // Of one message only: that count is of spans about several.
    expect(
      inBatches.filter(({ attributes }) => 'messaging.batch.message_count' in attributes),
    ).toEqual([]);
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

describe('who is not sampled', () => {
  const slowMs = 1_000;
  /** Four times so much is longer. */
  const lateMs = 300;
  const steps = ['confirm', 'reserve'].map((step) => `api:${assign} > api:${step}`);
  let proxy: TcpProxy;
  let api: App;
  let couponId: number;

  beforeAll(async () => {
    const redisUrl = stack.env['GATE_REDIS_URL']!;
    proxy = await TcpProxy.before(redisUrl);
    api = await stack.startApp('api', {
      GATE_REDIS_URL: proxy.through(redisUrl),
      TRACES_KEEP_ERRORS: 'true',
      TRACES_KEEP_SLOW_MS: String(slowMs),
      ...tellingLoads,
    });
    expect(api.output).toContain(loadsExporter);
    couponId = await stack.createCoupon(100);
  });
  afterAll(async () => {
    await api?.stop();
    await proxy?.close();
  });

  /** What came of his request, whose spans are those of `kept` once they have arrived. */
  const keptOf = async ({ traceId, spanId }: Caller, paths: string[]): Promise<ReceivedSpan> => {
    await expect
      .poll(() => pathsOf(receiver.ofTrace(traceId)), { timeout: 20_000 })
      .toEqual(paths.toSorted());
    const root = receiver.ofTrace(traceId).find(({ name }) => name === assign)!;
    expect(root.parentSpanId).toBe(spanId);
    return root;
  };

  test('has no spans when he is answered soon, and when he waited long all that the api did for him', async () => {
    const quick: Caller[] = [];
    await expect
      .poll(async () => {
        quick.push(newCaller('00'));
        const askedAt = performance.now();
        const name = `quick-${quick.length}`;
        const { status } = await assignAs(couponId, name, quick.at(-1)!.traceparent);
        return status === 200 && performance.now() - askedAt < slowMs;
      })
      .toBe(true);

    proxy.delayMs = lateMs;
    const slow = newCaller('00');
    expect((await assignAs(couponId, 'slow', slow.traceparent)).status).toBe(200);
    proxy.delayMs = 0;
    const send = `api:${assign} > api:send ${requested}`;
    const root = await keptOf(slow, [`api:${assign}`, ...steps, send]);
    expect(root).toMatchObject({ hasFailed: false, attributes: { 'firstcome.kept': 'slow' } });
    expect(root.durationMs).toBeGreaterThanOrEqual(slowMs);
    for (const { name, durationMs, attributes } of receiver.ofTrace(slow.traceId)) {
      if (name === 'reserve' || name === 'confirm') {
        expect(durationMs).toBeGreaterThanOrEqual(lateMs);
        expect(attributes).toMatchObject({ 'db.stored_procedure.name': name });
      }
    }
    // They leave in order: what is to come of an earlier one has come.
    expect(receiver.ofTrace(quick.at(-1)!.traceId)).toEqual([]);
  });

  test('has spans when he failed, in the trace that the line of the log names', async () => {
    proxy.leadTo({ host: '127.0.0.1', port: 1 });
    const failed = newCaller('00');
    expect((await assignAs(couponId, 'failed', failed.traceparent)).status).toBe(503);
    const root = await keptOf(failed, [`api:${assign}`, `api:${assign} > api:reserve`]);
    expect(root).toMatchObject({
      hasFailed: true,
      attributes: { 'firstcome.kept': 'error', 'error.type': '503' },
    });
    const reserve = receiver.ofTrace(failed.traceId).find(({ name }) => name === 'reserve')!;
    expect(reserve).toMatchObject({
      hasFailed: true,
      attributes: { 'error.type': expect.stringMatching(/Error$/) as string },
    });

    const answer = await assignAs(couponId, 'without-a-trace');
    const { request_id: requestId } = (await answer.json()) as { request_id: string };
    const line = () =>
      logLines(api.output).find((each) => each['http.request.id'] === requestId)?.['trace.id'];
    await expect.poll(line).toMatch(/^[\da-f]{32}$/);
    await expect.poll(() => receiver.ofTrace(String(line()))).toHaveLength(2);
  });
});

test('while traces are off nothing that sends them is loaded, and nobody who asks for spans gets any', async () => {
  const off = await stack.startApp('api', { TRACES: 'off', ...tellingLoads });
  const caller = newCaller();
  const couponId = await stack.createCoupon(10);
  expect((await assignAs(couponId, 'untraced', caller.traceparent)).status).toBe(200);
  // The issuer goes by the header, and has them on.
  const process = `issuer:process ${requested}`;
  await expect
    .poll(() => pathsOf(receiver.ofTrace(caller.traceId)), { timeout: 20_000 })
    .toContain(process);
  expect(receiver.ofTrace(caller.traceId).map(({ service }) => service)).not.toContain(
    'firstcome-api',
  );
  expect(off.output).not.toContain(loadsExporter);
  await off.stop();
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
