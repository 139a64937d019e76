import type { Asked, CouponHistory, Told } from './coupon-history.ts';
import type { JournalAnswer, JournalChange, JournalLine } from './journal-lines.ts';
import { isChange } from './journal-lines.ts';

/** The request never reached an api that would have worked on it: it can have taken nothing. */
const withoutEffect = new Set(['OVERLOADED', 'NOT_SENT']);
const refusals: Readonly<Record<string, Told>> = {
  SOLD_OUT: { kind: 'sold_out' },
  PAUSED: { kind: 'paused' },
  NOT_OPEN: { kind: 'not_now' },
  CLOSED: { kind: 'not_now' },
};

/** Sorts the lines of a journal by coupon. Leaves out what says nothing about any. */
export async function collectHistories(
  lines: AsyncIterable<JournalLine>,
): Promise<Map<number, CouponHistory>> {
  const histories = new Map<number, CouponHistory>();
  const historyOf = (couponId: number): CouponHistory => {
    const known = histories.get(couponId) ?? { couponId, asked: [], changed: [] };
    histories.set(couponId, known);
    return known;
  };
  for await (const line of lines) {
    if (isChange(line)) {
      historyOf(line.coupon_id).changed.push({ ...intervalOf(line), ...line.change });
    } else if (line.coupon_id !== undefined) {
      const asked = toAsked(line);
      if (asked !== undefined) {
        historyOf(line.coupon_id).asked.push(asked);
      }
    }
  }
  return histories;
}

function toAsked(answer: JournalAnswer): Asked | undefined {
  const told = toTold(answer);
  return told === undefined || answer.user_id === undefined
    ? undefined
    : { ...intervalOf(answer), userId: answer.user_id, told };
}

function toTold({
  http_status: status,
  issuance_id: issuanceId,
  code,
}: JournalAnswer): Told | undefined {
  if (status === 200 || status === 202) {
    return issuanceId === undefined ? undefined : { kind: 'accepted', issuanceId };
  }
  if (status === 0 || status >= 500) {
    return code !== undefined && withoutEffect.has(code)
      ? undefined
      : { kind: 'unknown', ...(issuanceId === undefined ? {} : { issuanceId }) };
  }
  return code === undefined ? undefined : refusals[code];
}

function intervalOf({ line, called_ms, returned_ms }: JournalAnswer | JournalChange): {
  line: number;
  calledAt: number;
  returnedAt: number;
} {
  return { line, calledAt: called_ms ?? -Infinity, returnedAt: returned_ms ?? Infinity };
}
