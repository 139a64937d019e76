import { InvalidArgumentError, Option } from 'commander';
import { chosenIdMax, problemOfName } from '#administration/coupon-terms.ts';
import { couponIdMax, couponTotalMax } from '#coupon/coupon.ts';
import { wholeNumber } from '../arguments.ts';
import { systemZone } from '../times/time-view.ts';

/** How a coupon, or a list of them, is printed. */
export interface OutputOptions {
  json?: true;
  zone: string;
}

export const couponId = wholeNumber(1, couponIdMax);
export const chosenId = wholeNumber(1, chosenIdMax);
export const couponTotal = wholeNumber(1, couponTotalMax);

/** A name, in the form that most systems write: ㅎ, ㅏ and ㄴ as 한. */
export function couponName(text: string): string {
  const name = text.normalize('NFC').trim();
  const problem = problemOfName(name);
  if (problem !== undefined) {
    throw new InvalidArgumentError(`${problem.replace(/^a/, 'A')}.`);
  }
  return name;
}

export function jsonOption(): Option {
  return new Option('--json', 'print JSON, with times in UTC');
}

export function zoneOption(): Option {
  return new Option('--zone <zone>', 'show times there: Asia/Seoul, UTC, +09:00')
    .argParser(timeZone)
    .default(systemZone(), `of this machine: ${systemZone()}`)
    .conflicts('json');
}

export function yesOption(meaning: string): Option {
  return new Option('--yes', meaning);
}

function timeZone(text: string): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone;
  } catch {
    throw new InvalidArgumentError('It must be a time zone like Asia/Seoul, UTC or +09:00.');
  }
}
