import { InvalidArgumentError } from 'commander';

/** Parses an option that is a whole number within limits. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,10}$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** The same for an argument that may be given several times: those before it are handed on. */
export function wholeNumbers(
  least: number,
  most: number,
): (text: string, before?: number[]) => number[] {
  const parse = wholeNumber(least, most);
  return (text, before = []) => [...new Set([...before, parse(text)])];
}

/** Parses a time in ISO 8601 into milliseconds since 1970. */
export function isoTime(text: string): number {
  const milliseconds = Date.parse(text);
  if (!/^\d{4}-\d{2}-\d{2}T/.test(text) || Number.isNaN(milliseconds)) {
    throw new InvalidArgumentError('It must be a time like 2026-12-24T18:00:00+09:00.');
  }
  return milliseconds;
}
