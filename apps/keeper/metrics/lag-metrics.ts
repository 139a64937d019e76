import { CommittedProgress } from '#event-log/inspect/committed-progress.ts';
import type { PartitionLag } from '#event-log/inspect/consumer-lag.ts';
import { sumOf } from '#event-log/inspect/consumer-lag.ts';
import type { IssuerProgress } from '#event-log/inspect/issuer-progress.ts';
import { LagTimes } from '#event-log/inspect/lag-times.ts';
import type { RecordTimes } from '#event-log/inspect/record-times.ts';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';
import { LastLook } from './last-look.ts';
import { Trend } from './trend.ts';

const validMs = 3_000;

/**
 * How far the issuers are behind: in records, in seconds, whether it grows, and until when they have caught
 * up. What could not be asked just now is left out: unknown is not 0.
 */
export class LagMetrics {
  private readonly look = new LastLook<PartitionLag[]>(validMs);
  private readonly progress = new CommittedProgress();
  private readonly trend = new Trend<number>();
  private readonly times: LagTimes;

  constructor(
    private readonly issuers: IssuerProgress,
    recordTimes: RecordTimes,
    telemetry: Telemetry,
  ) {
    this.times = new LagTimes(recordTimes);
    this.observeOffsets(telemetry);
    this.observeTimes(telemetry);
  }

  async refresh(): Promise<void> {
    const askedAt = Date.now();
    const lags = await this.look.refresh(() => this.issuers.lags());
    this.progress.note(lags);
    this.trend.note(new Map(lags.map(({ partition, lag }) => [partition, lag])));
    await this.times.note(lags, askedAt);
  }

  private observeOffsets({ observed }: Telemetry): void {
    const { topic, groupId } = this.issuers;
    const group = { consumergroup: groupId };
    const gauge = (
      name: string,
      description: string,
      labels: Record<string, string>,
      read: (lag: PartitionLag) => number | null,
    ) =>
      observed.gauge(name, description, (observe) => {
        for (const lag of this.look.value ?? []) {
          observe(read(lag), { ...labels, topic, partition: lag.partition });
        }
      });

    gauge('kafka_consumergroup_lag', 'Records not yet decided.', group, ({ lag }) => lag);
    gauge('kafka_consumergroup_current_offset', 'Committed.', group, ({ committed }) => committed);
    gauge('kafka_topic_partition_current_offset', 'End of the log.', {}, ({ high }) => high);
    gauge('firstcome_partition_unmoved_seconds', 'Since it moved, with a lag.', group, (lag) =>
      this.progress.secondsOf(lag.partition),
    );
    gauge(
      'firstcome_partition_lag_seconds',
      'How long the first record that is not decided has been in the log.',
      {},
      (lag) => this.times.secondsOf(lag),
    );
    gauge(
      'firstcome_partition_lag_velocity',
      'Records a second by which the lag grows, of the last seconds.',
      {},
      (lag) => this.trend.perSecond(lag.partition),
    );
    observed.gauge('kafka_consumergroup_lag_sum', 'Over all partitions.', (observe) =>
      observe(this.look.value && sumOf(this.look.value), { ...group, topic }),
    );
  }

  private observeTimes({ observed }: Telemetry): void {
    observed.gauge('firstcome_lag_seconds', 'The longest over all partitions.', (observe) =>
      observe(this.longest((lag) => this.times.secondsOf(lag))),
    );
    observed.gauge(
      'firstcome_drain_eta_seconds',
      'Until all is decided at the rate of the last seconds.',
      (observe) => observe(this.longest(({ partition }) => this.trend.secondsToZero(partition))),
    );
  }

  /** Unknown when it is for one partition. */
  private longest(read: (lag: PartitionLag) => number | null): number | null {
    const values = this.look.value?.map(read) ?? [];
    const known = values.filter((value) => value !== null);
    return known.length === 0 || known.length < values.length ? null : Math.max(...known);
  }
}
