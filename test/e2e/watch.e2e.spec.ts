import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stack } from '../../infra/harness/stack.ts';
import { nodeArguments } from '../../infra/local/processes/build.ts';
import { statusSchema } from '../harness/status-schema.ts';
import { prepareStack } from '../harness/stack/test-stack.ts';
import { Terminal, terminalProblem } from '../harness/terminal.ts';

const patience = { timeout: 40_000, interval: 200 };

let stack: Stack;

beforeAll(async () => {
  // It needs no process of ours to look at the stores.
  stack = await prepareStack();
  await stack.createCoupon(1_000, '--name', '겨울 한정');
});
afterAll(() => stack.stop());

describe('firstcome watch', () => {
  it('says a line each second into a pipe, or a JSON document, until nobody reads', async () => {
    for (const [option, check] of [
      [[], (line: string) => expect(line).toMatch(/^\d{4}-\S+Z HEALTHY: /)],
      [['--json'], (line: string) => statusSchema.parse(JSON.parse(line))],
    ] as const) {
      const child = spawn(process.execPath, [...nodeArguments('cli'), 'watch', ...option], {
        env: { ...process.env, ...stack.env },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout.on('data', (data: Buffer) => (output += data.toString()));
      await expect.poll(() => output.split('\n').length, patience).toBeGreaterThan(2);
      output.split('\n').slice(0, 2).forEach(check);
      child.stdout.destroy();
      const [code] = (await once(child, 'exit')) as [number];
      expect(code).toBe(0);
    }
  });

  it.skipIf(terminalProblem()).each([
    ['q', 'q', 80],
    ['Ctrl-C', '\u0003', 40],
  ])('is drawn on a screen of its own, and %s gives the old one back', async (_, key, columns) => {
    const command = [process.execPath, ...nodeArguments('cli'), 'watch'];
    const terminal = new Terminal({ columns, rows: 24 }, command, stack.env);
    try {
      await expect.poll(() => terminal.shown.split('\u001B[H').length, patience).toBeGreaterThan(3);
      terminal.type(key);
      expect(await terminal.ended()).toBe(0);
    } finally {
      terminal.kill();
    }
    const { shown } = terminal;
    expect(shown.indexOf('\u001B[?1049h')).toBe(0);
    expect(shown.endsWith('\u001B[?25h\u001B[?1049l')).toBe(true);
    const frame = shown.split('\u001B[H')[2]!;
    expect(frame).toContain('\u001B[32m');
    const lines = stripVTControlCharacters(frame).split('\r\n');
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(lines.filter((line) => stringWidth(line) > columns)).toEqual([]);
    expect(lines[0]).toMatch(/^HEALTHY: /);
  });
});
