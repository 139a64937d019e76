import type { Attributes, Link, SpanContext } from '@opentelemetry/api';
import { SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from '../logging/logging.ts';
import { LimitedLines } from '../logging/limited-lines.ts';
import { pauseFor } from '../work/waiting.ts';
import type { SpanPlace } from './span-place.ts';
import type { StorePlaces, StoreSettings } from './store-places.ts';
import { storePlaces } from './store-places.ts';

/** Loaded only where traces are on, for it takes a fifth of a second to load: see `Traces.open`. */

export interface FinishedSpan extends SpanPlace {
  name: string;
  kind: keyof typeof SpanKind;
  parentSpanId?: string | undefined;
  /** Of which it says where it is. */
  store?: keyof StorePlaces;
  /** Milliseconds since 1970, with fractions. */
  startedAt: number;
  endedAt: number;
  attributes: Attributes;
  links?: SpanPlace[];
  hasFailed: boolean;
}

export interface ExportSettings extends StoreSettings {
  OTEL_EXPORTER_OTLP_ENDPOINT: string;
}

/** A receiver that is away costs so many spans in memory, and what comes then is dropped. */
const queueMax = 4_096;
const exportEveryMs = 1_000;
const exportTimeoutMs = 5_000;
/** A process that ends must not wait for a receiver that is away. */
const closeTimeoutMs = 1_000;
const scope = { name: 'firstcome' };

/** Sends spans over OTLP (HTTP, JSON), in batches, in the background. Nothing here ever rejects. */
export class SpanExport {
  private readonly processor: BatchSpanProcessor;
  private readonly sdk: NodeSDK;
  private readonly resource;
  private readonly places: StorePlaces;
  private readonly lines = new LimitedLines();

  constructor(
    serviceName: string,
    settings: ExportSettings,
    private readonly logger: Logger,
  ) {
    this.places = storePlaces(settings);
    this.resource = resourceFromAttributes({
      'service.name': serviceName,
      'process.pid': process.pid,
    });
    const url = `${settings.OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/$/, '')}/v1/traces`;
    this.processor = new BatchSpanProcessor({
      exporter: this.tellingFailures(
        new OTLPTraceExporter({ url, timeoutMillis: exportTimeoutMs }),
      ),
      maxQueueSize: queueMax,
      scheduledDelayMillis: exportEveryMs,
      exportTimeoutMillis: 2 * exportTimeoutMs,
    });
    this.sdk = new NodeSDK({
      serviceName,
      spanProcessors: [this.processor],
      instrumentations: [],
      metricReaders: [],
      logRecordProcessors: [],
      autoDetectResources: false,
    });
    this.sdk.start();
  }

  add(span: FinishedSpan): void {
    const { store, attributes } = span;
    const all = store === undefined ? attributes : { ...this.places[store], ...attributes };
    this.processor.onEnd(toReadable({ ...span, attributes: all }, this.resource));
  }

  async close(): Promise<void> {
    await Promise.race([this.sdk.shutdown().catch(() => {}), pauseFor(closeTimeoutMs)]);
    this.lines.close();
  }

  /** The processor would hand them to a handler of its whole library, which says nothing. */
  private tellingFailures(exporter: SpanExporter): SpanExporter {
    return {
      export: (spans, done) =>
        exporter.export(spans, (result) => {
          const { error } = result;
          if (error !== undefined) {
            this.lines.add(
              'export',
              () => ({ err: error, spans: spans.length }),
              (about) => this.logger.warn(about, 'spans could not be sent and are lost'),
            );
          }
          done(result);
        }),
      shutdown: () => exporter.shutdown(),
    };
  }
}

function toReadable(span: FinishedSpan, resource: ReadableSpan['resource']): ReadableSpan {
  const { traceId, spanId, parentSpanId, startedAt, endedAt, links = [] } = span;
  const context = toContext({ traceId, spanId });
  return {
    name: span.name,
    kind: SpanKind[span.kind],
    spanContext: () => context,
    ...(parentSpanId !== undefined && {
      parentSpanContext: toContext({ traceId, spanId: parentSpanId }),
    }),
    startTime: toHrTime(startedAt),
    endTime: toHrTime(endedAt),
    duration: toHrTime(endedAt - startedAt),
    status: { code: span.hasFailed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: span.attributes,
    links: links.map((place): Link => ({ context: toContext(place) })),
    events: [],
    ended: true,
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function toContext({ traceId, spanId }: SpanPlace): SpanContext {
  return { traceId, spanId, traceFlags: TraceFlags.SAMPLED };
}

/** Seconds and nanoseconds. */
function toHrTime(milliseconds: number): [number, number] {
  const seconds = Math.floor(milliseconds / 1_000);
  return [seconds, Math.round((milliseconds - seconds * 1_000) * 1e6)];
}
