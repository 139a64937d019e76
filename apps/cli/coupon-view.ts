import type { Coupon } from '#coupon/coupon.ts';
import { sellingState } from '#coupon/coupon.ts';
import type { GateInspection } from '#gate/gate-replies.ts';
import { toIsoTime } from '#platform/iso-time.ts';
import { alignColumns } from './text.ts';

/** A coupon as `--json` prints it. `left`, `held` and `pending` are null while it has no gate that is open. */
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
  version: number;
}

export function toCouponView(coupon: Coupon, gate: GateInspection): CouponView {
  const isOpen = gate.gate === 'open' && coupon.archivedAt === null;
  return {
    coupon_id: coupon.id,
    name: coupon.name,
    state: stateOf(coupon, gate),
    total: coupon.total,
    left: isOpen ? gate.left : null,
    held: isOpen ? gate.holders : null,
    pending: isOpen ? gate.pending : null,
    issued: coupon.issued,
    opens_at: toIsoTime(coupon.opensAt),
    closes_at: toIsoTime(coupon.closesAt),
    version: coupon.version,
  };
}

function stateOf(coupon: Coupon, gate: GateInspection): string {
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

/** A line a coupon under a header, columns aligned. */
export function toTable(views: CouponView[]): string {
  return alignColumns([
    [...columns],
    ...views.map((view) => columns.map((column) => String(view[column] ?? '-'))),
  ]);
}
