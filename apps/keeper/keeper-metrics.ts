import type { ObservableResult } from '@opentelemetry/api';
import { CommittedProgress } from '#event-log/inspect/committed-progress.ts';
import type { PartitionLag } from '#event-log/inspect/consumer-lag.ts';
import { sumOf } from '#event-log/inspect/consumer-lag.ts';
import type { IssuerProgress } from '#event-log/inspect/issuer-progress.ts';
import type { Gate } from '#gate/gate.ts';
import type { DeadLetterLedger } from '#ledger/dead-letter-ledger.ts';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';
import type { GateSurvey, SurveyedCoupon } from './gate-survey.ts';
import { hasEnded } from './gates-at-rest.ts';

/**
 * What is left, what is pending, how far the issuers are behind, and dead letters. What could not be
 * read just now is left out: unknown is not 0.
 */
export class KeeperMetrics {
  private gateRows: Record<Phase, SurveyedCoupon[]> | undefined;
  private lags: PartitionLag[] | undefined;
  private readonly progress = new CommittedProgress();
  private openDeadLetters: number | undefined;

  constructor(
    private readonly gates: GateSurvey,
    private readonly issuers: IssuerProgress,
    private readonly deadLetters: DeadLetterLedger,
    private readonly gate: Pick<Gate, 'refusal'>,
    telemetry: Telemetry,
  ) {
    this.observeGates(telemetry);
    this.observeLag(telemetry);
    this.observeDeadLetters(telemetry);
  }

  async refreshGates(): Promise<void> {
    try {
      this.gateRows = inPhases((await this.gates.recent()).coupons);
    } catch (error) {
      this.gateRows = undefined;
      throw error;
    }
  }

  async refreshLag(): Promise<void> {
    try {
      this.lags = await this.issuers.lags();
      this.progress.note(this.lags);
    } catch (error) {
      this.lags = undefined;
      throw error;
    }
  }

  async refreshDeadLetters(): Promise<void> {
    try {
      this.openDeadLetters = (await this.deadLetters.countOpen()).count;
    } catch (error) {
      this.openDeadLetters = undefined;
      throw error;
    }
  }

  private observeGates({ meter }: Telemetry): void {
    // Of each coupon on sale, or with something pending: thousands that have ended are a number.
    const gauge = (
      name: string,
      description: string,
      read: (row: SurveyedCoupon) => number | null,
    ) =>
      meter.createObservableGauge(name, { description }).addCallback((result) => {
        for (const row of this.gateRows?.running ?? []) {
          observeKnown(result, read(row), { coupon_id: row.coupon.id });
        }
      });
    const ifOpen = (row: SurveyedCoupon, value: number): number | null =>
      row.gate.gate === 'open' ? value : null;

    gauge('firstcome_gate_open', '1 while the gate admits, 0 while it does not.', (row) =>
      row.gate.gate === 'open' && this.gate.refusal === undefined ? 1 : 0,
    );
    gauge('firstcome_coupon_left', 'Units not yet taken.', (row) => ifOpen(row, row.gate.left));
    gauge('firstcome_coupon_pending', 'Reservations not yet confirmed.', (row) =>
      ifOpen(row, row.gate.pending),
    );
    gauge('firstcome_coupon_oldest_pending_seconds', 'Age of the oldest of them.', (row) =>
      ifOpen(row, (row.gate.now - (row.gate.oldestPendingAt ?? row.gate.now)) / 1_000),
    );
    meter
      .createObservableGauge('firstcome_coupons', {
        description:
          'Coupons that are not archived: running, ended, or ended with a gate that is shut.',
      })
      .addCallback((result) => {
        for (const [phase, rows] of Object.entries(this.gateRows ?? {})) {
          result.observe(rows.length, { phase });
        }
      });
  }

  private observeLag({ meter }: Telemetry): void {
    const { topic, groupId } = this.issuers;
    const group = { consumergroup: groupId };
    const gauge = (
      name: string,
      description: string,
      labels: Record<string, string>,
      read: (lag: PartitionLag) => number | null,
    ) =>
      meter.createObservableGauge(name, { description }).addCallback((result) => {
        for (const lag of this.lags ?? []) {
          observeKnown(result, read(lag), { ...labels, topic, partition: lag.partition });
        }
      });

    gauge('kafka_consumergroup_lag', 'Records not yet decided.', group, ({ lag }) => lag);
    gauge('kafka_consumergroup_current_offset', 'Committed.', group, ({ committed }) => committed);
    gauge('firstcome_partition_unmoved_seconds', 'Since it moved, with a lag.', group, (lag) =>
      this.progress.secondsOf(lag.partition),
    );
    gauge('kafka_topic_partition_current_offset', 'End of the log.', {}, ({ high }) => high);
    meter
      .createObservableGauge('kafka_consumergroup_lag_sum', { description: 'Over all partitions.' })
      .addCallback((result) =>
        observeKnown(result, this.lags === undefined ? null : sumOf(this.lags), {
          ...group,
          topic,
        }),
      );
  }

  private observeDeadLetters({ meter }: Telemetry): void {
    meter
      .createObservableGauge('firstcome_dead_letters_open', {
        description: 'Dead letters that are neither redriven nor discarded.',
      })
      .addCallback((result) => observeKnown(result, this.openDeadLetters ?? null, {}));
  }
}

type Phase = 'running' | 'ended' | 'ended_shut';

function inPhases(coupons: SurveyedCoupon[]): Record<Phase, SurveyedCoupon[]> {
  const phases: Record<Phase, SurveyedCoupon[]> = { running: [], ended: [], ended_shut: [] };
  for (const row of coupons) {
    phases[phaseOf(row)].push(row);
  }
  return phases;
}

function phaseOf({ coupon, gate, isAtRest }: SurveyedCoupon): Phase {
  if (isAtRest) {
    return 'ended';
  }
  return gate.gate !== 'open' && hasEnded(coupon, gate.now) ? 'ended_shut' : 'running';
}

function observeKnown(
  result: ObservableResult,
  value: number | null,
  attributes: Record<string, string | number>,
): void {
  if (value !== null) {
    result.observe(value, attributes);
  }
}
