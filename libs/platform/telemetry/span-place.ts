import { randomBytes } from 'node:crypto';

/** Which span of which trace; what a `traceparent` says. */
export interface SpanPlace {
  traceId: string;
  spanId: string;
}

const sampledFlag = 1;

/** Where a well-formed `traceparent` leads. */
export function placeOf(traceparent: string): SpanPlace {
  const [, traceId = '', spanId = ''] = traceparent.split('-');
  return { traceId, spanId };
}

/** Whether whoever began the trace wants its spans kept; the flags are the last two hexadecimal digits. */
export function isSampled(traceparent: string | undefined): traceparent is string {
  return traceparent !== undefined && (parseInt(traceparent.slice(-2), 16) & sampledFlag) !== 0;
}

/** The `traceparent` that makes others children of a span whose trace is sampled. */
export function sampledAt({ traceId, spanId }: SpanPlace): string {
  return `00-${traceId}-${spanId}-01`;
}

export function newTraceId(): string {
  return randomBytes(16).toString('hex');
}

export function newSpanId(): string {
  return randomBytes(8).toString('hex');
}
