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
  }
}

interface RequestTrace extends SpanPlace {
  parentSpanId: string | undefined;
  isSampled: boolean;
}

/** Everything fails when a store is away, and a span for each would make that worse. */
const keptPerSecondMax = 20;

/**
 * Gives requests a span of their own, the root of all that is done for them here. Of those that are not
 * sampled, failed and slow ones may be kept: by this one span, made afterwards.
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
  fastify.addHook('onRequest', (request, _reply, done) => {
    const isProbe = request.url.startsWith('/health');
    if (!isProbe && traces.samples(wellFormedTraceparent(request.headers['traceparent']))) {
      request.trace = newTrace(request, true);
    }
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const why = request.trace?.isSampled === true ? undefined : kept.why(request, reply);
    if (request.trace?.isSampled === true || why !== undefined) {
      traces.add(serverSpan(request, reply, why));
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

function serverSpan(request: FastifyRequest, reply: FastifyReply, why: string | undefined) {
  // Kept, for a line of the log may be written about it later, under the same trace.
  const { traceId, spanId, parentSpanId } = (request.trace ??= newTrace(request, false));
  const { method, routeOptions } = request;
  // The route, never the path: it may have a user id in it.
  const route = routeOptions.url ?? 'unknown';
  const { statusCode, elapsedTime } = reply;
  const endedAt = timeNow();
  const hasFailed = statusCode >= 500;
  return {
    name: `${method} ${route}`,
    kind: 'SERVER',
    traceId,
    spanId,
    parentSpanId,
    startedAt: endedAt - elapsedTime,
    endedAt,
    hasFailed,
    attributes: {
      'http.request.method': method,
      'http.route': route,
      'http.response.status_code': statusCode,
      'firstcome.request_id': request.id,
      ...(hasFailed && { 'error.type': String(statusCode) }),
      ...(why !== undefined && { 'firstcome.kept': why }),
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

  why(request: FastifyRequest, { statusCode, elapsedTime }: FastifyReply): string | undefined {
    const { TRACES_KEEP_ERRORS: errors, TRACES_KEEP_SLOW_MS: slowMs } = this.settings;
    const isSlow = slowMs > 0 && elapsedTime >= slowMs;
    const isError = errors && statusCode >= 500;
    if ((!isSlow && !isError) || request.url.startsWith('/health') || !this.hasRoom()) {
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
