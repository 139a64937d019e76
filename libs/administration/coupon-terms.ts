import type { Coupon } from '#coupon/coupon.ts';
import { printable } from '#platform/text/printable.ts';

/**
 * The highest id that may be chosen. Coupons without a chosen one get the next above all there are,
 * so that the rest, up to `couponIdMax`, is theirs.
 */
export const chosenIdMax = 1_000_000_000;

/** Of characters as people count them, not of UTF-16. */
export const nameLengthMax = 100;

/** Times are within these: 0 is "no limit" at the gate, and later years need five digits. */
export const couponTimeMin = Date.UTC(2000, 0, 1);
export const couponTimeMax = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** In words, why a coupon cannot have this name. */
export function problemOfName(name: string): string | undefined {
  if (name.trim() === '') {
    return 'a name must not be blank';
  }
  if (Array.from(name).length > nameLengthMax) {
    return `a name may have at most ${nameLengthMax} characters`;
  }
  return printable(name) === name
    ? undefined
    : 'a name must be one line, without control or invisible characters, or marks that turn text around';
}

export type CouponTimes = Pick<Coupon, 'opensAt' | 'closesAt' | 'validUntil'>;

/** In words, why a coupon cannot have these times (milliseconds since 1970, null for no limit). */
export function problemOfTimes(
  opensAt: number | null,
  closesAt: number | null,
  validUntil: number | null = null,
): string | undefined {
  const times = [opensAt, closesAt, validUntil].filter((time) => time !== null);
  if (!times.every((time) => time >= couponTimeMin && time <= couponTimeMax)) {
    return 'a time must be in the years 2000 to 9999';
  }
  if (opensAt !== null && closesAt !== null && closesAt <= opensAt) {
    return 'it must close later than it opens';
  }
  return validUntil !== null && (closesAt === null || closesAt > validUntil)
    ? 'it must close before it is valid no longer, or then'
    : undefined;
}

/** Without a time of its own it closes when it ends to be valid: nobody is admitted to what is over. */
export function withClosingTime<Times extends Pick<CouponTimes, 'closesAt' | 'validUntil'>>(
  times: Times,
): Times {
  return { ...times, closesAt: times.closesAt ?? times.validUntil };
}
