import { accessSync, constants, statSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { wholeNumberIn } from '#platform/text/decimals.ts';
import { messageOf } from '#platform/text/error-message.ts';

/** Parses an option that is a whole number within limits. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = wholeNumberIn(text);
    if (value === undefined || value < least || value > most) {
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

/** The name of a file that can be read now. */
export function readableFile(file: string): string {
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    throw new InvalidArgumentError(`It cannot be read: ${messageOf(error)}.`);
  }
  if (statSync(file).isDirectory()) {
    throw new InvalidArgumentError('It is a folder.');
  }
  return file;
}
