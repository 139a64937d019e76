import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { traceIdOf, wellFormedTraceparent } from '#coupon/trace-context.ts';
import type { SpanPlace } from '#platform/telemetry/span-place.ts';
import { newSpanId, newTraceId, placeOf, sampledAt } from '#platform/telemetry/span-place.ts';
import type { Traces, TraceSettings } from '#platform/telemetry/tracing.ts';
import { timeNow } from '#platform/telemetry/tracing.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Only while traces are on, and then of a request that is sampled, or may be kept. */
    trace?: RequestTrace | undefined;
    /** Of one that is not sampled and may be kept: what was done for it. */
    trail?: unknown[] | undefined;
  }
}

interface RequestTrace extends SpanPlace {
  parentSpanId: string | undefined;
  isSampled: boolean;
}

/** Everything fails when a store is away, and spans for each would make that worse. */
const keptPerSecondMax = 20;

/**
 * Gives requests a span of their own, the root of all that is done for them here. Of those that are not
 * sampled, failed and slow ones may be kept: what this process did for them, made into spans afterwards.
 */
export function traceRequests(
  fastify: FastifyInstance,
  traces: Traces,
  settings: Pick<TraceSettings, 'TRACES_KEEP_ERRORS' | 'TRACES_KEEP_SLOW_MS'>,
): void {
  if (!traces.isOn) {
    return;
  }
  const kept = new KeptSpans(settings);
  fastify.decorateRequest('trace', undefined);
  fastify.decorateRequest('trail', undefined);
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (!request.url.startsWith('/health')) {
      if (traces.samples(wellFormedTraceparent(request.headers['traceparent']))) {
        request.trace = newTrace(request, true);
      } else if (kept.isOn) {
        request.trail = [];
      }
    }
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    if (request.trace?.isSampled === true) {
      traces.add(serverSpan(request, request.trace, reply));
    } else if (request.trail !== undefined) {
      const why = kept.why(reply);
      if (why !== undefined) {
        keep(traces, request, reply, why);
      }
    }
    done();
  });
}

/**
 * The context that whatever is done for a request goes by; the caller's, where it has no span here.
 * A header that is none is a caller's mistake, and no request should fail for it.
 */
export function carriedContext({ trace, headers }: FastifyRequest): string | undefined {
  return trace?.isSampled === true
    ? sampledAt(trace)
    : wellFormedTraceparent(headers['traceparent']);
}

/** What a line of the log and a span that is kept have in common. */
export function traceIdFor(request: FastifyRequest): string | undefined {
  const traceparent = wellFormedTraceparent(request.headers['traceparent']);
  if (request.trace === undefined && 'trace' in request) {
    request.trace = newTrace(request, false);
  }
  return request.trace?.traceId ?? (traceparent && traceIdOf(traceparent));
}

function newTrace({ headers }: FastifyRequest, isSampled: boolean): RequestTrace {
  const traceparent = wellFormedTraceparent(headers['traceparent']);
  const parent = traceparent === undefined ? undefined : placeOf(traceparent);
  return {
    traceId: parent?.traceId ?? newTraceId(),
    spanId: newSpanId(),
    parentSpanId: parent?.spanId,
    isSampled,
  };
}

function keep(traces: Traces, request: FastifyRequest, reply: FastifyReply, why: string): void {
  // A line of the log may have been written about it, or will be, under the same trace.
  const trace = (request.trace ??= newTrace(request, false));
  const { attributes, ...span } = serverSpan(request, trace, reply);
  traces.add({ ...span, attributes: { ...attributes, 'firstcome.kept': why } });
  traces.addTrail(request.trail!, trace);
}

function serverSpan(request: FastifyRequest, trace: RequestTrace, reply: FastifyReply) {
  const { traceId, spanId, parentSpanId } = trace;
  const { method, routeOptions } = request;
  const route = routeOptions.url;
  const { statusCode, elapsedTime } = reply;
  const endedAt = timeNow();
  const hasFailed = statusCode >= 500;
  return {
    name: route === undefined ? method : `${method} ${route}`,
    kind: 'SERVER',
    traceId,
    spanId,
    parentSpanId,
    startedAt: endedAt - elapsedTime,
    endedAt,
    hasFailed,
    attributes: {
      'http.request.method': method,
      'url.scheme': 'http',
      // As the route has it: in a path there may be a user id, and in one without a route anything.
      ...(route !== undefined && { 'url.path': route, 'http.route': route }),
      'http.response.status_code': statusCode,
      'firstcome.request_id': request.id,
      ...(hasFailed && { 'error.type': String(statusCode) }),
    },
  } as const;
}

/** Which of the requests that are not sampled are kept, and at most so many a second. */
class KeptSpans {
  private second = 0;
  private count = 0;

  constructor(
    private readonly settings: Pick<TraceSettings, 'TRACES_KEEP_ERRORS' | 'TRACES_KEEP_SLOW_MS'>,
  ) {}

  get isOn(): boolean {
    const { TRACES_KEEP_ERRORS: errors, TRACES_KEEP_SLOW_MS: slowMs } = this.settings;
    return errors || slowMs > 0;
  }

  why({ request, statusCode, elapsedTime }: FastifyReply): string | undefined {
    const { TRACES_KEEP_ERRORS: errors, TRACES_KEEP_SLOW_MS: slowMs } = this.settings;
    const isSlow = slowMs > 0 && elapsedTime - (request.waitedMs ?? 0) >= slowMs;
    const isError = errors && statusCode >= 500;
    if ((!isSlow && !isError) || !this.hasRoom()) {
      return undefined;
    }
    return isError ? 'error' : 'slow';
  }

  private hasRoom(): boolean {
    const second = Math.floor(performance.now() / 1_000);
    this.count = second === this.second ? this.count + 1 : 1;
    this.second = second;
    return this.count <= keptPerSecondMax;
  }
}
