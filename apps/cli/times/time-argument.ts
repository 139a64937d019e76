import { InvalidArgumentError } from 'commander';
import { couponTimeMax, couponTimeMin } from '#administration/coupon-terms.ts';

const example = '2026-12-24T18:00:00+09:00';
const datePattern = String.raw`(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})`;
const clockPattern = String.raw`(?<hour>\d{2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:\.(?<fraction>\d+))?)?`;
const offsetPattern = String.raw`(?<offset>Z|[+-]\d{2}(?::?\d{2})?)`;
const shape = new RegExp(`^${datePattern}T${clockPattern}${offsetPattern}?$`, 'i');
const offsetMinMinutes = -12 * 60;
const offsetMaxMinutes = 14 * 60;
const minuteMs = 60_000;

/**
 * Parses a time (RFC 3339) into milliseconds since 1970. Unlike `Date.parse` it takes no time that
 * means another one elsewhere, and no day or hour that is not on a calendar or a clock.
 */
export function timeArgument(text: string): number {
  const parts = shape.exec(text)?.groups;
  if (parts === undefined) {
    throw new InvalidArgumentError(describeOther(text));
  }
  if (parts['offset'] === undefined) {
    throw new InvalidArgumentError(
      `It has no offset from UTC: write ${text}+09:00 for Korea, or ${text}Z for UTC.`,
    );
  }
  const problem = problemOfDate(parts) ?? problemOfClock(parts) ?? problemOfOffset(parts['offset']);
  if (problem !== undefined) {
    throw new InvalidArgumentError(problem);
  }
  const milliseconds = inUtc(parts) - offsetMinutes(parts['offset']) * minuteMs;
  if (milliseconds < couponTimeMin || milliseconds > couponTimeMax) {
    throw new InvalidArgumentError('The year must be one of 2000 to 9999.');
  }
  return milliseconds;
}

/** The same, or no limit. Not null: commander would take that for an option without a value. */
export function timeArgumentOrNone(text: string): number | 'none' {
  return text === 'none' ? text : timeArgument(text);
}

type Parts = Record<string, string | undefined>;

function describeOther(text: string): string {
  return /^[+-]?\d+(\.\d+)?$/.test(text)
    ? `A number says no time: write it like ${example}.`
    : `It must be a time like ${example}.`;
}

function problemOfDate({ year, month, day }: Parts): string | undefined {
  if (Number(month) < 1 || Number(month) > 12) {
    return `There is no month ${month}.`;
  }
  // The day before the first of the next month.
  const daysOfMonth = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number(day) < 1 || Number(day) > daysOfMonth
    ? `${year}-${month} has no day ${day}: its last one is ${daysOfMonth}.`
    : undefined;
}

function problemOfClock({ hour, minute, second = '00', fraction = '' }: Parts): string | undefined {
  if (hour === '24') {
    return 'A day ends at 23:59:59: write 00:00 of the next one instead of 24:00.';
  }
  if (second === '60') {
    return 'Clocks here know no leap second: write 00 of the next minute.';
  }
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) {
    return `There is no ${hour}:${minute}:${second} on a clock.`;
  }
  return fraction.length > 3 ? 'It may be as fine as milliseconds: three digits.' : undefined;
}

function problemOfOffset(text: string): string | undefined {
  const minutes = offsetMinutes(text);
  const isReal = Number(minutesOfHour(text)) < 60;
  return isReal && minutes >= offsetMinMinutes && minutes <= offsetMaxMinutes
    ? undefined
    : `There is no offset ${text}: they go from -12:00 to +14:00.`;
}

/** Of `Z` and `+09`, too, which have none. */
function minutesOfHour(offset: string): string {
  return offset.slice(3).replace(':', '');
}

function offsetMinutes(text: string): number {
  const minutes = Number(text.slice(1, 3)) * 60 + Number(minutesOfHour(text));
  return text.startsWith('-') ? -minutes : minutes;
}

function inUtc({ year, month, day, hour, minute, second = '0', fraction = '' }: Parts): number {
  return Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    Number(fraction.padEnd(3, '0')),
  );
}
