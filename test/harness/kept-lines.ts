import { Writable } from 'node:stream';
import { pino } from 'pino';

/** A logger whose lines a test can read. */
export function keptLines() {
  const lines: { msg: string; [field: string]: unknown }[] = [];
  const write = (line: Buffer, _: string, done: () => void): void => {
    lines.push(JSON.parse(line.toString()) as (typeof lines)[number]);
    done();
  };
  return { lines, logger: pino(new Writable({ write })) };
}
