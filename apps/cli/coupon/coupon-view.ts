import type { Coupon } from '#coupon/coupon.ts';
import { sellingState } from '#coupon/coupon.ts';
import type { GateInspection } from '#gate/gate-replies.ts';
import { toIsoTime } from '#platform/text/iso-time.ts';
import { alignColumns } from '../text.ts';
import { describeTimes, offsetOf, toZonedTime } from '../times/time-view.ts';

/** A coupon as `--json` prints it. `left`, `held` and `pending` are null where it has no open gate. */
export interface CouponView {
  coupon_id: number;
  name: string;
  state: string;
  total: number;
  left: number | null;
  held: number | null;
  pending: number | null;
  issued: number;
  opens_at: string | null;
  closes_at: string | null;
  valid_until: string | null;
  archived_at: string | null;
  version: number;
}

/** A coupon and its gate, as they were looked at. */
export interface SeenCoupon {
  coupon: Coupon;
  gate: GateInspection;
}

export function toCouponView({ coupon, gate }: SeenCoupon): CouponView {
  const isOpen = gate.gate === 'open' && coupon.archivedAt === null;
  return {
    coupon_id: coupon.id,
    name: coupon.name,
    state: stateOf({ coupon, gate }),
    total: coupon.total,
    left: isOpen ? gate.left : null,
    held: isOpen ? gate.holders : null,
    pending: isOpen ? gate.pending : null,
    issued: coupon.issued,
    opens_at: toIsoTime(coupon.opensAt),
    closes_at: toIsoTime(coupon.closesAt),
    valid_until: toIsoTime(coupon.validUntil),
    archived_at: toIsoTime(coupon.archivedAt),
    version: coupon.version,
  };
}

function stateOf({ coupon, gate }: SeenCoupon): string {
  if (coupon.archivedAt !== null) {
    return 'ARCHIVED';
  }
  return gate.gate === 'open' ? sellingState(coupon, gate.left, gate.now) : 'RECOVERING';
}

const columns = [
  'coupon_id',
  'name',
  'state',
  'total',
  'left',
  'held',
  'pending',
  'issued',
] as const;

/** A line a coupon under a header, columns aligned, and above it the zone that the times are in. */
export function toTable(seen: SeenCoupon[], zone: string): string {
  const now = seen[0]?.gate.now ?? Date.now();
  return [
    `Times in ${zone} (UTC${offsetOf(now, zone)}), now ${toZonedTime(secondOf(now), zone)}\n`,
    alignColumns([
      [...columns, 'opens_at', 'closes_at', 'valid_until', 'meaning'],
      ...seen.map((each) => toRow(each, zone)),
    ]),
  ].join('');
}

function toRow(each: SeenCoupon, zone: string): string[] {
  const { opensAt, closesAt, validUntil } = each.coupon;
  const view = toCouponView(each);
  const zoned = (time: number | null): string => (time === null ? '-' : toZonedTime(time, zone));
  return [
    ...columns.map((column) => String(view[column] ?? '-')),
    zoned(opensAt),
    zoned(closesAt),
    zoned(validUntil),
    describeTimes(each.coupon, each.gate.now) ?? '-',
  ];
}

function secondOf(milliseconds: number): number {
  return Math.floor(milliseconds / 1_000) * 1_000;
}
