import type { Kafka } from 'kafkajs';
import { messageOf } from '#platform/text/error-message.ts';
import type { FailureCause } from '#platform/failures/failure.ts';
import type { LogFunction } from '#platform/logging/logging.ts';
import type { OperationMetrics } from '#platform/telemetry/operation-metrics.ts';
import { type BackOff, backOffMs, pauseFor } from '#platform/work/waiting.ts';
import { type PlacedMessage, ProducerConnection } from './producer-connection.ts';

/** One record to append. `value` is written as JSON. */
export interface LogRecord {
  partition: number;
  /** Where the topic has fewer partitions it may go to another one, the same each time. */
  mayGoElsewhere?: boolean;
  key: string;
  value: unknown;
  headers?: Record<string, string | Buffer[]>;
}

export interface PublisherState {
  status: 'connected' | 'connecting' | 'closed';
  /** What went wrong last, in words; kept after a recovery. */
  lastError: string | undefined;
}

/**
 * The records may or may not be in the log, and may still be appended later: never take what they
 * stand for back because of this error. Publish them again; readers absorb duplicates.
 */
export class PublishUnconfirmedError extends Error {
  override readonly name = 'PublishUnconfirmedError';

  constructor(
    message: string,
    readonly failureCause: FailureCause,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** One call of publish, and the connection its latest attempt uses. */
interface Call {
  topic: string;
  messages: PlacedMessage[];
  deadline: AbortController;
  connection: ProducerConnection | undefined;
  lastError: unknown;
}

const reconnectBackOff: BackOff = { firstMs: 200, maxMs: 5_000 };
const retryBackOff: BackOff = { firstMs: 50, maxMs: 500 };
/** How often an idle connection is tried, so that `state()` notices brokers that went away. */
const probeEveryMs = 1_000;
const connectTimeoutMs = 5_000;
const closeTimeoutMs = 2_000;

/**
 * Appends records to the replicated log: acks from all in-sync replicas, a plain producer. The
 * idempotent one of kafkajs takes "duplicate sequence" for success after a timeout and so loses
 * records; here a record may be written twice instead.
 */
export class EventPublisher {
  private readonly publishTimeoutMs: number;
  private readonly logger: LogFunction | undefined;
  private readonly metrics: OperationMetrics | undefined;
  private readonly closing = new AbortController();
  private readonly publishing = new Set<Promise<void>>();
  private connection: ProducerConnection | undefined;
  private watching: Promise<void> | undefined;
  private lastError: string | undefined;

  constructor(
    private readonly kafka: Kafka,
    options: { publishTimeoutMs: number; logger?: LogFunction; metrics?: OperationMetrics },
  ) {
    this.publishTimeoutMs = options.publishTimeoutMs;
    this.logger = options.logger;
    this.metrics = options.metrics;
  }

  /** Connects in the background and keeps trying for ever; also after a connection was lost. */
  start(): void {
    this.watching ??= this.keepConnected();
  }

  /** Whether the brokers answer, as far as is known now (a silent loss shows within seconds). */
  state(): PublisherState {
    const open = this.connection === undefined ? 'connecting' : 'connected';
    return { status: this.closing.signal.aborted ? 'closed' : open, lastError: this.lastError };
  }

  /** Why nothing can be published now, in words; `undefined` when it can, as far as is known. */
  problem(): string | undefined {
    const { status, lastError } = this.state();
    return status === 'connected' ? undefined : `Kafka is not reachable: ${lastError ?? status}`;
  }

  /**
   * Resolves only when every record is in the replicated log. Otherwise rejects with
   * PublishUnconfirmedError, at most `publishTimeoutMs` after the call, and the outcome is unknown.
   *
   * Within that time it tries again, so records may be appended twice, and records of different
   * calls in another order than the calls. After it no new attempt is made; but the bytes of the last one may
   * have left, and a broker that was frozen appends them when it wakes, however late.
   */
  async publish(topic: string, records: LogRecord[]): Promise<void> {
    if (records.length === 0) {
      return;
    }
    if (this.closing.signal.aborted) {
      throw new PublishUnconfirmedError('The publisher is closed.', 'log_away');
    }
    const publishing = this.publishBefore(topic, records.map(toMessage));
    this.publishing.add(publishing);
    const startedAt = performance.now();
    try {
      await publishing;
      this.metrics?.published(topic, records.length, startedAt);
    } catch (error) {
      this.metrics?.published(topic, records.length, startedAt, error);
      throw error;
    } finally {
      this.publishing.delete(publishing);
    }
  }

  /** Waits for what is being published (at most `publishTimeoutMs`), then disconnects. Never rejects. */
  async close(): Promise<void> {
    const started = [...this.publishing];
    this.closing.abort();
    await Promise.allSettled(started);
    await Promise.race([this.disconnect(), pauseFor(closeTimeoutMs)]);
  }

  private async publishBefore(topic: string, messages: PlacedMessage[]): Promise<void> {
    const call: Call = {
      topic,
      messages,
      deadline: new AbortController(),
      connection: undefined,
      lastError: undefined,
    };
    const { promise: expired, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      call.deadline.abort();
      const cause = this.connection === undefined ? 'log_away' : 'log_timeout';
      call.connection?.suspect(`no confirmation within ${this.publishTimeoutMs} ms`);
      reject(unconfirmed(`within ${this.publishTimeoutMs} ms`, cause, call.lastError));
    }, this.publishTimeoutMs);
    try {
      await Promise.race([this.publishUntilConfirmed(call), expired]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Returns without confirmation only after the deadline, when nobody waits for it any more. */
  private async publishUntilConfirmed(call: Call): Promise<void> {
    const deadline = call.deadline.signal;
    for (let failures = 1; !deadline.aborted; failures += 1) {
      try {
        call.connection = this.connection;
        if (call.connection !== undefined) {
          return await call.connection.append(call.topic, call.messages, this.publishTimeoutMs);
        }
      } catch (error) {
        this.noteError(error);
        call.lastError = error;
        if (isFinal(error)) {
          throw unconfirmed('because the brokers refuse it', 'log_refuses', error);
        }
      }
      await pauseFor(backOffMs(retryBackOff, failures), deadline);
    }
  }

  private async disconnect(): Promise<void> {
    await this.watching;
    await this.connection?.dispose();
    this.connection = undefined;
  }

  private async keepConnected(): Promise<void> {
    const { signal } = this.closing;
    let failures = 0;
    while (!signal.aborted) {
      const connection = new ProducerConnection(this.kafka);
      try {
        await connection.open(connectTimeoutMs);
        failures = 0;
        this.connection = connection;
        await connection.untilLost({ probeEveryMs, probeTimeoutMs: this.publishTimeoutMs }, signal);
      } catch (error) {
        failures += 1;
        this.noteError(error);
        this.logger?.('warn', 'not connected to Kafka', { error: messageOf(error), failures });
      }
      if (!signal.aborted) {
        this.connection = undefined;
        void connection.dispose();
        await pauseFor(backOffMs(reconnectBackOff, Math.max(1, failures)), signal);
      }
    }
  }

  private noteError(error: unknown): void {
    this.lastError = messageOf(error);
  }
}

function unconfirmed(
  why: string,
  failureCause: FailureCause,
  cause: unknown,
): PublishUnconfirmedError {
  const reason = cause === undefined ? '' : ` Last error: ${messageOf(cause)}`;
  const message = `Kafka did not confirm ${why}.${reason}`;
  return new PublishUnconfirmedError(message, failureCause, { cause });
}

function toMessage({ partition, mayGoElsewhere, key, value, headers }: LogRecord): PlacedMessage {
  const json: string | undefined = JSON.stringify(value);
  if (json === undefined) {
    throw new TypeError('A record needs a value that JSON can express.');
  }
  return {
    partition,
    key,
    value: json,
    ...(mayGoElsewhere === true && { mayGoElsewhere }),
    ...(headers === undefined ? {} : { headers }),
  };
}

/** True when the brokers said no and will say no again (too large, not authorised …). */
function isFinal(error: unknown): boolean {
  const { name, retriable, cause } = error as {
    name?: string;
    retriable?: boolean;
    cause?: unknown;
  };
  if (cause !== undefined && cause !== null) {
    return isFinal(cause);
  }
  return name === 'KafkaJSProtocolError' && retriable === false;
}
