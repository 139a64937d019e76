import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EventStream } from './event-stream.ts';

/** The part of an answer that a stream needs. */
class Written extends EventEmitter {
  text = '';
  writableEnded = false;
  destroyed = false;

  writeHead(): this {
    return this;
  }

  write(text: string): void {
    this.text += text;
  }

  end(): void {
    this.writableEnded = true;
    this.emit('close');
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function opened(): { written: Written; stream: EventStream } {
  const written = new Written();
  const stream = new EventStream(written as unknown as ServerResponse, 1_500, 15_000);
  return { written, stream };
}

test('begins with when to connect anew, and writes an event as the standard has it', () => {
  const { written, stream } = opened();
  stream.send({ event: 'decided', id: 'ISSUED', data: { a: 'line\nbreak' } });
  stream.send({ event: 'unknown', data: {} });
  expect(written.text).toBe(
    'retry: 1500\n\n' +
      'event: decided\nid: ISSUED\ndata: {"a":"line\\nbreak"}\n\n' +
      'event: unknown\ndata: {}\n\n',
  );
});

test('gives a sign of life every 15 s, that is no event', () => {
  const { written } = opened();
  written.text = '';
  vi.advanceTimersByTime(46_000);
  expect(written.text).toBe(':\n\n:\n\n:\n\n');
});

test.each([
  ['ended', ({ stream }: ReturnType<typeof opened>) => stream.end()],
  [
    'left by its client',
    ({ written }: ReturnType<typeof opened>) => {
      written.destroyed = true;
      written.emit('close');
    },
  ],
])('writes nothing once it is %s, and keeps no timer', (_, close) => {
  const both = opened();
  close(both);
  both.written.text = '';
  both.stream.send({ event: 'decided', data: {} });
  vi.advanceTimersByTime(60_000);
  expect([both.written.text, both.stream.isClosed, vi.getTimerCount()]).toEqual(['', true, 0]);
});
