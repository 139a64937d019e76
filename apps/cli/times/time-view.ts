import type { Coupon } from '#coupon/coupon.ts';

/** The zone in which this machine shows times. */
export function systemZone(): string {
  const zone: string | undefined = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  // Where TZ is no zone.
  return zone ?? 'UTC';
}

/**
 * A time in a zone, with its offset there: what `--opens-at` takes as well. Times may have another
 * offset than now, so each says its own.
 */
export function toZonedTime(milliseconds: number, zone: string): string {
  const offset = offsetOf(milliseconds, zone);
  const local = new Date(milliseconds + offsetMs(offset)).toISOString();
  return `${local.replace(/\.000Z$|Z$/, '')}${offset}`;
}

/** The offset from UTC of a zone at a time, like `+09:00`. */
export function offsetOf(milliseconds: number, zone: string): string {
  const format = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' });
  const parts = format.formatToParts(milliseconds);
  const text = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
  return /[+-]\d{2}:\d{2}/.exec(text)?.[0] ?? '+00:00';
}

function offsetMs(offset: string): number {
  const [hours, minutes] = offset.slice(1).split(':').map(Number);
  return (offset.startsWith('-') ? -1 : 1) * (hours! * 60 + minutes!) * 60_000;
}

type Times = Pick<Coupon, 'state' | 'opensAt' | 'closesAt' | 'validUntil'>;

/** What the times of a coupon mean now, in words; nothing when it has none that matter. */
export function describeTimes(coupon: Times, now: number): string | undefined {
  const meanings = [describeSale(coupon, now), describeValidity(coupon, now)];
  return meanings.filter((meaning) => meaning !== undefined).join(', ') || undefined;
}

function describeSale({ state, opensAt, closesAt }: Times, now: number): string | undefined {
  if (state === 'closed') {
    return 'closed for good';
  }
  if (closesAt !== null && now >= closesAt) {
    return `closed ${describeSpan(now - closesAt)} ago`;
  }
  if (opensAt !== null && now < opensAt) {
    return `opens in ${describeSpan(opensAt - now)}`;
  }
  return closesAt === null ? undefined : `closes in ${describeSpan(closesAt - now)}`;
}

function describeValidity({ validUntil }: Times, now: number): string | undefined {
  if (validUntil === null) {
    return undefined;
  }
  return now < validUntil
    ? `valid for ${describeSpan(validUntil - now)}`
    : `expired ${describeSpan(now - validUntil)} ago`;
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** The two largest units of a span, and the smaller one only where it is not 0. */
export function describeSpan(milliseconds: number): string {
  const first = units.findIndex(([, size]) => milliseconds >= size);
  if (first === -1) {
    return 'less than 1 s';
  }
  const [unit, size] = units[first]!;
  const [nextUnit, nextSize] = units[first + 1] ?? ['', 0];
  const rest = nextSize === 0 ? 0 : Math.floor((milliseconds % size) / nextSize);
  return `${Math.floor(milliseconds / size)} ${unit}${rest === 0 ? '' : ` ${rest} ${nextUnit}`}`;
}
