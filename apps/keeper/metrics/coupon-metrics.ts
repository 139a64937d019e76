import type { Gate } from '#gate/gate.ts';
import type { Observe } from '#platform/telemetry/observed-metrics.ts';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';
import type { CouponPhases } from './coupon-phases.ts';
import { inPhases, withOwnSeries } from './coupon-phases.ts';
import type { GateSurvey, SurveyedCoupon } from '../gates/gate-survey.ts';
import { LastLook } from './last-look.ts';
import { Trend } from './trend.ts';

const validMs = 3_000;
const others = 'other';

/** Makes one value of those of several coupons. */
type Join = (values: number[]) => number;
const sum: Join = (values) => values.reduce((total, value) => total + value, 0);
const least: Join = (values) => Math.min(...values);
const greatest: Join = (values) => Math.max(...values);

/**
 * What is left and what is pending, of each coupon that runs; thousands that have ended are a number, and
 * so are those that run beyond `couponsMax`. What could not be read just now is left out.
 */
export class CouponMetrics {
  private readonly look = new LastLook<CouponPhases>(validMs);
  private readonly selling = new Trend<number>();

  constructor(
    private readonly gates: GateSurvey,
    private readonly gate: Pick<Gate, 'refusal'>,
    private readonly couponsMax: number,
    telemetry: Telemetry,
  ) {
    this.observeCoupons(telemetry);
    this.observeTotals(telemetry);
  }

  async refresh(): Promise<void> {
    const { running } = await this.look.refresh(async () =>
      inPhases((await this.gates.recent()).coupons),
    );
    this.selling.note(new Map(running.map((row) => [row.coupon.id, leftOf(row)])));
  }

  private observeCoupons({ observed }: Telemetry): void {
    const gauge = (
      name: string,
      description: string,
      join: Join,
      read: (row: SurveyedCoupon) => number | null,
    ) => observed.gauge(name, description, (observe) => this.observeEach(observe, { read, join }));

    gauge('firstcome_gate_open', '1 while the gate admits, 0 while it does not.', least, (row) =>
      row.gate.gate === 'open' && this.gate.refusal === undefined ? 1 : 0,
    );
    gauge('firstcome_coupon_total', 'Units there are.', sum, ({ coupon }) => coupon.total);
    gauge('firstcome_coupon_left', 'Units not yet taken.', sum, leftOf);
    gauge('firstcome_coupon_pending', 'Reservations not yet confirmed.', sum, (row) =>
      ifOpen(row, row.gate.pending),
    );
    gauge(
      'firstcome_coupon_oldest_pending_seconds',
      'Age of the oldest of them.',
      greatest,
      oldestPendingOf,
    );
    gauge(
      'firstcome_coupon_sell_out_eta_seconds',
      'Until nothing is left, at the rate of the last seconds.',
      greatest,
      ({ coupon }) => this.selling.secondsToZero(coupon.id),
    );
  }

  private observeTotals({ observed }: Telemetry): void {
    observed.gauge(
      'firstcome_oldest_pending_seconds',
      'Age of the oldest reservation not yet confirmed, of all coupons.',
      (observe) => {
        const ages = this.look.value?.running.map(oldestPendingOf) ?? [];
        const known = ages.filter((age) => age !== null);
        observe(this.look.value === undefined ? null : greatest([0, ...known]));
      },
    );
    observed.gauge(
      'firstcome_coupons',
      'Coupons that are not archived: running, ended, or ended with a gate that is shut.',
      (observe) => {
        for (const [phase, rows] of Object.entries(this.look.value ?? {})) {
          observe(rows.length, { phase });
        }
      },
    );
  }

  private observeEach(
    observe: Observe,
    { read, join }: { read: (row: SurveyedCoupon) => number | null; join: Join },
  ): void {
    const { own, rest } = withOwnSeries(this.look.value?.running ?? [], this.couponsMax);
    for (const row of own) {
      observe(read(row), { coupon_id: row.coupon.id });
    }
    const known = rest.map(read).filter((value) => value !== null);
    if (known.length > 0) {
      observe(join(known), { coupon_id: others });
    }
  }
}

function ifOpen({ gate }: SurveyedCoupon, value: number): number | null {
  return gate.gate === 'open' ? value : null;
}

function leftOf(row: SurveyedCoupon): number | null {
  return ifOpen(row, row.gate.left);
}

function oldestPendingOf(row: SurveyedCoupon): number | null {
  const { now, oldestPendingAt } = row.gate;
  return ifOpen(row, (now - (oldestPendingAt ?? now)) / 1_000);
}
