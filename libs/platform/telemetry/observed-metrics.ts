import type { Attributes, HrTime } from '@opentelemetry/api';
import { ValueType } from '@opentelemetry/api';
import type {
  CollectionResult,
  DataPoint,
  MetricData,
  MetricProducer,
} from '@opentelemetry/sdk-metrics';
import { AggregationTemporality, DataPointType } from '@opentelemetry/sdk-metrics';
import { emptyResource } from '@opentelemetry/resources';

/** Tells one value. What is not known, null or undefined, is left out: unknown is not 0. */
export type Observe = (value: number | null | undefined, labels?: Attributes) => void;

interface Observed {
  name: string;
  description: string;
  kind: 'gauge' | 'counter';
  look: (observe: Observe) => void;
}

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

  gauge(name: string, description: string, look: Observed['look']): void {
    this.observed.push({ name, description, kind: 'gauge', look });
  }

  /** For what only grows for as long as the process lives. */
  counter(name: string, description: string, look: Observed['look']): void {
    this.observed.push({ name, description, kind: 'counter', look });
  }

  /** A look that throws leaves its metric out, and is told among the errors. */
  async collect(): Promise<CollectionResult> {
    const metrics: MetricData[] = [];
    const errors: unknown[] = [];
    const dropped = new Map<string, number>();
    for (const one of this.observed) {
      try {
        const points = this.pointsOf(one);
        if (points.length > seriesMax) {
          dropped.set(one.name, points.length - seriesMax);
        }
        metrics.push(this.toMetric(one, points.slice(0, seriesMax)));
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

  private pointsOf({ look }: Observed): DataPoint<number>[] {
    const endTime = now();
    const points: DataPoint<number>[] = [];
    look((value, attributes = {}) => {
      if (value !== null && value !== undefined) {
        points.push({ startTime: this.startedAt, endTime, attributes, value });
      }
    });
    return points;
  }

  private droppedSeries(dropped: ReadonlyMap<string, number>): MetricData {
    const description = 'Series of a metric that are not shown, because it has too many.';
    const look = (observe: Observe) =>
      dropped.forEach((count, metric) => observe(count, { metric }));
    const one: Observed = { name: droppedName, description, kind: 'gauge', look };
    return this.toMetric(one, this.pointsOf(one));
  }

  private toMetric({ name, description, kind }: Observed, dataPoints: DataPoint<number>[]) {
    const base = {
      descriptor: { name, description, unit: '', valueType: ValueType.DOUBLE },
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPoints,
    };
    return kind === 'gauge'
      ? ({ ...base, dataPointType: DataPointType.GAUGE } as const)
      : ({ ...base, dataPointType: DataPointType.SUM, isMonotonic: true } as const);
  }
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
