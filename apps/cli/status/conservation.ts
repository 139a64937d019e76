import type { Look } from './look/look.ts';

/** What does not add up, in words. */
export interface Breach {
  says: string;
}

/**
 * What of a coupon is lost, or there twice, as far as looks at living stores prove it. Where a gate is
 * shut nothing is judged: nobody is admitted on it, and it is built anew from MySQL.
 */
export function breachOf(
  couponId: number,
  before: Look | undefined,
  now: Look,
): Breach | undefined {
  const gate = now.gate.value?.gates.get(couponId);
  const coupon = now.ledger.value?.coupons.find(({ id }) => id === couponId);
  if (coupon !== undefined && coupon.issued > coupon.total) {
    return { says: `${coupon.issued} are issued of ${coupon.total}` };
  }
  if (gate?.gate !== 'open') {
    return undefined;
  }
  const { left, holders, total } = gate;
  if (left + holders !== total) {
    return { says: `${left} left + ${holders} held is not ${total}` };
  }
  // MySQL was asked first, and whoever is issued is held, before and after that.
  if (coupon !== undefined && holders < coupon.issued) {
    return { says: `${coupon.issued} are issued, and the gate holds only ${holders}` };
  }
  return unrecorded(couponId, before, now);
}

/**
 * Units that are held, and that nobody is going to issue: nothing of the coupon was pending at the look
 * before; then the issuers were at the end of its partition, so that all that was confirmed by then was
 * decided; then MySQL was asked. What is missing there is nowhere.
 */
function unrecorded(couponId: number, before: Look | undefined, now: Look): Breach | undefined {
  const coupon = now.ledger.value?.coupons.find(({ id }) => id === couponId);
  const earlier = before?.gate.value?.gates.get(couponId);
  const later = now.gate.value?.gates.get(couponId);
  const lag = before?.log.value?.lags.find(({ partition }) => partition === coupon?.kafkaPartition);
  if (coupon === undefined || earlier?.gate !== 'open' || later === undefined || lag?.lag !== 0) {
    return undefined;
  }
  const isStill =
    earlier.pending === 0 && earlier.epoch === later.epoch && earlier.serial === later.serial;
  const lost = earlier.holders - coupon.issued;
  return isStill && lost > 0
    ? { says: `${lost} of ${earlier.holders} held are neither issued nor under way` }
    : undefined;
}
