import { parseArgs } from 'node:util';
import { decimalIn, wholeNumberIn } from '#platform/text/decimals.ts';
import { exitCodes } from '#platform/command/exit-codes.ts';
import { ReadableError } from './readable-error.ts';

/** What was given to a command as `--name value`. Throws `ReadableError` with the usage otherwise. */
export class Options<Name extends string> {
  private readonly given: Partial<Record<Name, string>>;

  constructor(
    args: string[],
    names: readonly Name[],
    private readonly usage: string,
  ) {
    const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
    try {
      this.given = parseArgs({ args, options }).values as Partial<Record<Name, string>>;
    } catch (error) {
      throw this.wrong((error as Error).message);
    }
  }

  text(name: Name): string | undefined {
    return this.given[name];
  }

  /** The default where it is missing. */
  wholeNumber(name: Name, missing: number, least: number, most: number): number {
    return this.wholeNumbers(name, String(missing), least, most)[0]!;
  }

  /** A number above 0. */
  positive<Missing>(name: Name, missing: Missing, most = Infinity): number | Missing {
    const text = this.given[name];
    if (text === undefined) {
      return missing;
    }
    const value = decimalIn(text);
    if (value === undefined || value <= 0 || value > most) {
      throw this.wrong(`--${name} takes a number above 0, at most ${most}, not "${text}".`);
    }
    return value;
  }

  /** Of a list that is separated by commas. */
  wholeNumbers(name: Name, missing: string, least: number, most: number): number[] {
    return (this.given[name] ?? missing).split(',').map((text) => {
      const value = wholeNumberIn(text);
      if (value === undefined || value < least || value > most) {
        throw this.wrong(`--${name} takes whole numbers from ${least} to ${most}, not "${text}".`);
      }
      return value;
    });
  }

  private wrong(message: string): ReadableError {
    return new ReadableError(`${message}\n\n${this.usage.trimEnd()}`, exitCodes.wrongUse);
  }
}
