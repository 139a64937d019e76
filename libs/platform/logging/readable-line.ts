import { printable, printableLines } from '../text/printable.ts';

/** Told in another place of the line, or the same in all lines of a process. */
const shownApart = new Set([
  '@timestamp',
  'log.level',
  'message',
  'service.name',
  'ecs.version',
  'event.dataset',
  'process.pid',
  'host.hostname',
  'error',
  'firstcome',
]);

interface Line extends Record<string, unknown> {
  message?: string;
  error?: { type?: string; message?: string; stack_trace?: string };
  firstcome?: Record<string, unknown>;
}

/**
 * A line of the log for a terminal: time, level, who says it, what, and the fields behind it. What is
 * no line of ours stays as it is. Nothing in it can steer the terminal.
 */
export function readableLine(json: string): string {
  const line = parse(json);
  if (line === undefined) {
    return printable(json.trimEnd());
  }
  const { error, firstcome } = line;
  const time = String(line['@timestamp']).slice('2026-11-27T'.length, -1);
  const level = String(line['log.level']).toUpperCase().padEnd(5);
  const others = Object.entries(line).filter(([name]) => !shownApart.has(name));
  const fields = [...Object.entries(firstcome ?? {}), ...others].map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const words = [time, level, line['service.name'], line.message ?? '', ...fields];
  const stack = error === undefined ? [] : [error.stack_trace || error.message || ''];
  return [printable(words.join(' ')), ...stack.map(printableLines)].join('\n');
}

function parse(json: string): Line | undefined {
  try {
    const line = JSON.parse(json) as Line | null;
    return line !== null && typeof line === 'object' && '@timestamp' in line ? line : undefined;
  } catch {
    return undefined;
  }
}
