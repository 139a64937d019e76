import type { ExitCode } from './exit-codes.ts';
import { exitCodes } from './exit-codes.ts';
import { printable, printableLines } from '../text/printable.ts';

const kinds = Object.fromEntries(
  Object.entries(exitCodes).map(([name, code]) => [code, toSnakeCase(name)]),
);

/**
 * What a command says on standard error when it fails. As JSON it is one document on one line; its
 * `kind` is the name of the exit code.
 */
export function describeFailure(exitCode: ExitCode, message: string, asJson: boolean): string {
  if (!asJson) {
    return printableLines(`firstcome: ${message}\n`);
  }
  const error = { kind: kinds[exitCode], exit_code: exitCode, message };
  return `${printable(JSON.stringify({ error }))}\n`;
}

function toSnakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
