import type { Attributes } from '@opentelemetry/api';
import type { Logger } from '../logging/logging.ts';
import type { ExportSettings, FinishedSpan, SpanExport } from './span-export.ts';
import type { SpanPlace } from './span-place.ts';
import { isSampled, newSpanId, newTraceId, placeOf, sampledAt } from './span-place.ts';

export interface TraceSettings extends ExportSettings {
  TRACES: 'on' | 'off';
  TRACES_SAMPLE_RATIO: number;
  TRACES_KEEP_ERRORS: boolean;
  TRACES_KEEP_SLOW_MS: number;
}

/** What a span says that every request of a batch has alike. */
export interface Step {
  name: string;
  kind: FinishedSpan['kind'];
  attributes: Attributes;
  /**
   * Under which name a batch says how many it had. With `links` a batch of several has a span of its own
   * besides, in a trace of its own, with links to those of its requests.
   */
  batchSize?: { attribute: string; links: boolean };
}

/** A request, as far as spans are concerned. */
interface Traced {
  traceparent?: string | undefined;
  couponId?: number;
  issuanceId?: string;
}

/**
 * The one door of tracing. Whether a request has spans is decided once, before any is made: by whoever
 * began its trace (`traceparent`), else by chance. From then on the context travels with the request,
 * through Redis and Kafka, and says so. A span is made when what it stands for has ended.
 *
 * While traces are off no package for them is loaded, and nothing is done for a request.
 */
export class Traces {
  static readonly off = new Traces(undefined, 0);

  private constructor(
    private readonly output: SpanExport | undefined,
    private readonly sampleRatio: number,
  ) {}

  static async open(serviceName: string, settings: TraceSettings, logger: Logger): Promise<Traces> {
    if (settings.TRACES === 'off') {
      return Traces.off;
    }
    const { SpanExport } = await import('./span-export.ts');
    return new Traces(new SpanExport(serviceName, settings, logger), settings.TRACES_SAMPLE_RATIO);
  }

  get isOn(): boolean {
    return this.output !== undefined;
  }

  /** Whether a request that comes with this context has spans. */
  samples(traceparent: string | undefined): boolean {
    return traceparent === undefined ? Math.random() < this.sampleRatio : isSampled(traceparent);
  }

  /** For a span of a kind that only one place makes. Nothing while traces are off. */
  add(span: FinishedSpan): void {
    this.output?.add(span);
  }

  /**
   * Does something for several requests together: each that is sampled gets a span of it in its own
   * trace. `work` is given the requests with a context that makes what comes next its child.
   */
  during<Request extends Traced, Result>(
    step: Step,
    requests: Request[],
    work: (carried: Request[]) => Promise<Result>,
  ): Promise<Result> {
    return this.output !== undefined && requests.some(({ traceparent }) => isSampled(traceparent))
      ? this.withSpans(step, requests, work)
      : work(requests);
  }

  async close(): Promise<void> {
    await this.output?.close();
  }

  private async withSpans<Request extends Traced, Result>(
    step: Step,
    requests: Request[],
    work: (carried: Request[]) => Promise<Result>,
  ): Promise<Result> {
    const startedAt = timeNow();
    const places = requests.map(({ traceparent }): SpanPlace | undefined =>
      isSampled(traceparent)
        ? { traceId: placeOf(traceparent).traceId, spanId: newSpanId() }
        : undefined,
    );
    const carried = requests.map((request, i) => {
      const place = places[i];
      return place === undefined ? request : { ...request, traceparent: sampledAt(place) };
    });
    const end = (error?: unknown): void => {
      const span = spanOf(step, requests.length, startedAt, error);
      requests.forEach((request, i) => this.addOf(request, places[i], span));
      if (step.batchSize?.links === true && requests.length > 1) {
        const links = places.filter((place) => place !== undefined);
        this.add({ ...span, traceId: newTraceId(), spanId: newSpanId(), links });
      }
    };
    try {
      const result = await work(carried);
      end();
      return result;
    } catch (error) {
      end(error);
      throw error;
    }
  }

  private addOf(request: Traced, place: SpanPlace | undefined, span: SharedSpan): void {
    if (place === undefined) {
      return;
    }
    const { couponId, issuanceId, traceparent } = request;
    this.add({
      ...span,
      ...place,
      parentSpanId: placeOf(traceparent!).spanId,
      attributes: {
        ...span.attributes,
        ...(couponId !== undefined && { 'firstcome.coupon_id': couponId }),
        ...(issuanceId !== undefined && { 'firstcome.issuance_id': issuanceId }),
      },
    });
  }
}

type SharedSpan = Omit<FinishedSpan, keyof SpanPlace>;

function spanOf(step: Step, size: number, startedAt: number, error: unknown): SharedSpan {
  const { name, kind, attributes, batchSize } = step;
  return {
    name,
    kind,
    startedAt,
    endedAt: timeNow(),
    hasFailed: error !== undefined,
    attributes: {
      ...attributes,
      ...(batchSize !== undefined && { [batchSize.attribute]: size }),
      // The message of an error may name a user.
      ...(error !== undefined && { 'error.type': (error as Error).name }),
    },
  };
}

/** Milliseconds since 1970, with fractions. */
export function timeNow(): number {
  return performance.timeOrigin + performance.now();
}
