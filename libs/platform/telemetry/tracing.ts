import type { Attributes } from '@opentelemetry/api';
import type { Logger } from '../logging/logging.ts';
import { errorAttributes } from './error-attributes.ts';
import { messagingAttributes as messaging } from './messaging-conventions.ts';
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
  store: NonNullable<FinishedSpan['store']>;
  attributes: Attributes;
}

/** A request, as far as spans are concerned. */
interface Traced {
  traceparent?: string | undefined;
  couponId?: number;
  issuanceId?: string;
  /** What was done for it: a list of `StepRun`, of a request that may be kept though it is not sampled. */
  trail?: unknown[] | undefined;
}

/** A step as it was taken for these requests: what their spans of it are made of. */
interface StepRun {
  step: Step;
  requests: readonly Traced[];
  startedAt: number;
  endedAt: number;
  error: unknown;
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

  /** Spans of what was done for a request that had none, now that it is kept; below this one. */
  addTrail(trail: unknown[], { traceId, spanId: parentSpanId }: SpanPlace): void {
    for (const run of trail as StepRun[]) {
      const request = run.requests.find((each) => each.trail === trail)!;
      this.add(spanOf(run, request, { traceId, spanId: newSpanId(), parentSpanId }));
    }
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
    return this.output !== undefined && requests.some(isFollowed)
      ? this.follow(step, requests, work)
      : work(requests);
  }

  async close(): Promise<void> {
    await this.output?.close();
  }

  private async follow<Request extends Traced, Result>(
    step: Step,
    requests: Request[],
    work: (carried: Request[]) => Promise<Result>,
  ): Promise<Result> {
    const startedAt = timeNow();
    const places = requests.map(({ traceparent }) =>
      isSampled(traceparent) ? { ...placeOf(traceparent), spanId: newSpanId() } : undefined,
    );
    const carried = requests.map((request, i) => {
      const place = places[i];
      return place === undefined ? request : { ...request, traceparent: sampledAt(place) };
    });
    const end = (error?: unknown): void =>
      this.record({ step, requests, startedAt, endedAt: timeNow(), error }, places);
    try {
      const result = await work(carried);
      end();
      return result;
    } catch (error) {
      end(error);
      throw error;
    }
  }

  private record(run: StepRun, places: (SpanPlace | undefined)[]): void {
    run.requests.forEach((request, i) => {
      const place = places[i];
      if (place !== undefined) {
        const parentSpanId = placeOf(request.traceparent!).spanId;
        this.add(spanOf(run, request, { ...place, parentSpanId }));
      }
      request.trail?.push(run);
    });
    const links = places.filter((place) => place !== undefined);
    if (run.step.store === 'kafka' && run.requests.length > 1 && links.length > 0) {
      this.add(batchSpanOf(run, links));
    }
  }
}

/** Whether anything is to be noted of what is done for it. */
function isFollowed({ traceparent, trail }: Traced): boolean {
  return trail !== undefined || isSampled(traceparent);
}

function spanOf(
  run: StepRun,
  { couponId, issuanceId }: Traced,
  place: SpanPlace & { parentSpanId: string },
): FinishedSpan {
  const { step, requests, startedAt, endedAt, error } = run;
  return {
    ...place,
    name: step.name,
    kind: step.kind,
    store: step.store,
    startedAt,
    endedAt,
    hasFailed: error !== undefined,
    attributes: {
      ...step.attributes,
      ...(error !== undefined && errorAttributes(step.store, error)),
      ...(requests.length > 1 && { 'firstcome.batch_size': requests.length }),
      ...(couponId !== undefined && { 'firstcome.coupon_id': couponId }),
      ...(couponId !== undefined &&
        step.store === 'kafka' && { [messaging.key]: String(couponId) }),
      ...(issuanceId !== undefined && { 'firstcome.issuance_id': issuanceId }),
    },
  };
}

/** The span of a whole batch of records: in a trace of its own, with links to those of its requests. */
function batchSpanOf(run: StepRun, links: SpanPlace[]): FinishedSpan {
  const { step, requests, startedAt, endedAt, error } = run;
  return {
    traceId: newTraceId(),
    spanId: newSpanId(),
    name: step.name,
    kind: step.kind,
    store: step.store,
    startedAt,
    endedAt,
    links,
    hasFailed: error !== undefined,
    attributes: {
      ...step.attributes,
      ...(error !== undefined && errorAttributes(step.store, error)),
      [messaging.batchCount]: requests.length,
    },
  };
}

/** Milliseconds since 1970, with fractions. */
export function timeNow(): number {
  return performance.timeOrigin + performance.now();
}
