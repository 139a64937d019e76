import stringWidth from 'string-width';
import { printable, printableLines } from '#platform/text/printable.ts';

/**
 * Prints text for people. Whatever is in it, a name, a user id or a record of the log, cannot steer the
 * terminal; lines are ours only where no such text is on several (`toOneLine`).
 */
export function print(text: string): void {
  process.stdout.write(printableLines(text));
}

/** Prints a value for programs; what would steer a terminal is escaped, and read back the same. */
export function printJson(value: unknown): void {
  process.stdout.write(printableLines(`${JSON.stringify(value, undefined, 2)}\n`));
}

/** Rows as lines, with columns as wide as their widest cell on a terminal: 한 takes two places. */
export function alignColumns(rows: string[][]): string {
  const cells = rows.map((row) => row.map((cell) => printable(cell)));
  const widths = cells[0]!.map((_, i) => Math.max(...cells.map((row) => stringWidth(row[i]!))));
  const pad = (cell: string, i: number): string =>
    cell + ' '.repeat(widths[i]! - stringWidth(cell));
  return cells.map((row) => `${row.map(pad).join('  ').trimEnd()}\n`).join('');
}

/** On one line, and not longer than this: for a cell of a table. */
export function toOneLine(text: string, lengthMax: number): string {
  const line = Array.from(printable(text.replaceAll(/\s+/g, ' ').trim()));
  return line.length > lengthMax ? `${line.slice(0, lengthMax - 1).join('')}…` : line.join('');
}
