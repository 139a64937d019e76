import type { Attributes, Counter, Histogram, Meter } from '@opentelemetry/api';
import { messagingLabels, messagingMetrics } from './messaging-conventions.ts';

export type BatchStage = 'reserve' | 'publish' | 'confirm' | 'decide';

const durationBuckets = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
];
const sizeBuckets = [1, 2, 5, 10, 20, 32, 50, 100, 200, 350, 500, 1_000, 2_000];

/** How long what is asked of the stores takes, and how many requests share one trip. */
export class OperationMetrics {
  private readonly database: Histogram;
  private readonly publishing: Histogram;
  private readonly processing: Histogram;
  private readonly sent: Counter;
  private readonly sizes: Histogram;

  constructor(meter: Pick<Meter, 'createCounter' | 'createHistogram'>) {
    const histogram = (name: string, description: string, explicitBucketBoundaries: number[]) =>
      meter.createHistogram(name, { description, advice: { explicitBucketBoundaries } });
    this.database = histogram(
      'db_client_operation_duration_seconds',
      'A script of Redis, or a question to MySQL with all its statements and their wait.',
      durationBuckets,
    );
    this.publishing = histogram(
      messagingMetrics.clientOperationDuration,
      'From handing records over until all in-sync replicas have them.',
      durationBuckets,
    );
    this.processing = histogram(
      messagingMetrics.processDuration,
      'From reading a chunk of requests to all its effects but the offset.',
      durationBuckets,
    );
    this.sizes = histogram('firstcome_batch_size', 'Requests that share one trip.', sizeBuckets);
    this.sent = meter.createCounter(messagingMetrics.clientSentMessages, {
      description: 'Records that all in-sync replicas have.',
    });
  }

  /** `startedAt` is of `performance.now`, here and below. */
  redis(script: string, startedAt: number, error?: unknown): void {
    this.database.record(secondsSince(startedAt), {
      db_system_name: 'redis',
      db_operation_name: script,
      ...failed('error_type', error),
    });
  }

  mysql(purpose: string, startedAt: number, error?: unknown): void {
    this.database.record(secondsSince(startedAt), {
      db_system_name: 'mysql',
      db_operation_name: purpose,
      ...failed('error_type', error),
    });
  }

  published(topic: string, records: number, startedAt: number, error?: unknown): void {
    const labels = kafkaLabels('send', topic);
    this.publishing.record(secondsSince(startedAt), {
      ...labels,
      ...failed(messagingLabels.errorType, error),
    });
    if (error === undefined) {
      this.sent.add(records, labels);
    }
  }

  processed(topic: string, startedAt: number): void {
    this.processing.record(secondsSince(startedAt), kafkaLabels('process', topic));
  }

  batch(stage: BatchStage, size: number): void {
    this.sizes.record(size, { stage });
  }
}

function kafkaLabels(operation: 'send' | 'process', topic: string): Attributes {
  return {
    [messagingLabels.system]: 'kafka',
    [messagingLabels.operationName]: operation,
    [messagingLabels.destinationName]: topic,
  };
}

/** A code where there is one, as MySQL and sockets give them, else the kind of error: both are few. */
function failed(label: string, error: unknown): Attributes {
  if (error === undefined) {
    return {};
  }
  const { code, name } = error as { code?: unknown; name: string };
  return { [label]: typeof code === 'string' ? code : name };
}

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / 1_000;
}
