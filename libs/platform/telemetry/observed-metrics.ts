import type { Attributes, HrTime } from '@opentelemetry/api';
import { ValueType } from '@opentelemetry/api';
import type {
  CollectionResult,
  DataPoint,
  Histogram,
  MetricData,
  MetricProducer,
} from '@opentelemetry/sdk-metrics';
import { AggregationTemporality, DataPointType } from '@opentelemetry/sdk-metrics';
import { emptyResource } from '@opentelemetry/resources';
import type { RecordedValues } from './recorded-values.ts';

/** Tells one value. What is not known, null or undefined, is left out: unknown is not 0. */
export type Observe<Value = number> = (
  value: Value | null | undefined,
  labels?: Attributes,
) => void;
type Look<Value> = (observe: Observe<Value>) => void;

interface Named {
  name: string;
  description: string;
}

type Observed = Named &
  (
    | { kind: 'gauge' | 'counter'; look: Look<number> }
    | { kind: 'histogram'; look: Look<RecordedValues> }
  );

/** Of one metric. What is of thousands has a bound of its own; this one is for what nobody thought of. */
export const seriesMax = 2_000;
const droppedName = 'firstcome_series_dropped';

/**
 * Values that are looked at when somebody asks for them. The observable instruments of the SDK would
 * not do: they go on to show the last value of what is not observed any more (opentelemetry-js issue
 * 3080), and remember every set of labels they ever saw, so that the two thousandth coupon of a process
 * would be the last one with a series of its own. Here nothing is kept between two looks.
 */
export class ObservedMetrics implements MetricProducer {
  private readonly observed: Observed[] = [];
  private readonly startedAt = now();

  gauge(name: string, description: string, look: Look<number>): void {
    this.observed.push({ name, description, kind: 'gauge', look });
  }

  /** For what only grows for as long as the process lives. */
  counter(name: string, description: string, look: Look<number>): void {
    this.observed.push({ name, description, kind: 'counter', look });
  }

  /** For what is recorded once a request; else a histogram of `Telemetry.meter` does. */
  histogram(name: string, description: string, look: Look<RecordedValues>): void {
    this.observed.push({ name, description, kind: 'histogram', look });
  }

  /** A look that throws leaves its metric out, and is told among the errors. */
  async collect(): Promise<CollectionResult> {
    const metrics: MetricData[] = [];
    const errors: unknown[] = [];
    const dropped = new Map<string, number>();
    for (const one of this.observed) {
      try {
        const metric = this.metricOf(one);
        if (metric.dataPoints.length > seriesMax) {
          dropped.set(one.name, metric.dataPoints.length - seriesMax);
          metric.dataPoints.splice(seriesMax);
        }
        metrics.push(metric);
      } catch (error) {
        errors.push(error);
      }
    }
    metrics.push(this.droppedSeries(dropped));
    return {
      resourceMetrics: { resource: emptyResource(), scopeMetrics: scoped(metrics) },
      errors,
    };
  }

  private metricOf(observed: Observed): MetricData {
    const { name, description } = observed;
    const base = {
      descriptor: { name, description, unit: '', valueType: ValueType.DOUBLE },
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
    };
    switch (observed.kind) {
      case 'gauge':
        return { ...base, dataPointType: DataPointType.GAUGE, dataPoints: this.pointsOf(observed) };
      case 'counter':
        return {
          ...base,
          dataPointType: DataPointType.SUM,
          isMonotonic: true,
          dataPoints: this.pointsOf(observed),
        };
      case 'histogram':
        return {
          ...base,
          dataPointType: DataPointType.HISTOGRAM,
          dataPoints: this.pointsOf(observed).map((point) => ({
            ...point,
            value: toHistogram(point.value),
          })),
        };
    }
  }

  private pointsOf<Value>({ look }: { look: Look<Value> }): DataPoint<Value>[] {
    const endTime = now();
    const points: DataPoint<Value>[] = [];
    look((value, attributes = {}) => {
      if (value !== null && value !== undefined) {
        points.push({ startTime: this.startedAt, endTime, attributes, value });
      }
    });
    return points;
  }

  private droppedSeries(dropped: ReadonlyMap<string, number>): MetricData {
    return this.metricOf({
      name: droppedName,
      description: 'Series of a metric that are not shown, because it has too many.',
      kind: 'gauge',
      look: (observe) => dropped.forEach((count, metric) => observe(count, { metric })),
    });
  }
}

function toHistogram({ boundaries, counts, count, sum }: RecordedValues): Histogram {
  return { buckets: { boundaries: [...boundaries], counts: [...counts] }, count, sum };
}

/** One without points would be a name with a type and no value. */
function scoped(metrics: MetricData[]) {
  return [
    { scope: { name: 'firstcome' }, metrics: metrics.filter((one) => one.dataPoints.length > 0) },
  ];
}

function now(): HrTime {
  const ms = Date.now();
  return [Math.floor(ms / 1_000), (ms % 1_000) * 1e6];
}
