import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LogFollower } from './log-follower.ts';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'log-follower-'));
  file = join(directory, 'api.log');
});
afterEach(() => rmSync(directory, { recursive: true }));

test('tells each line that is added once, when it is whole, and none that was there before', () => {
  writeFileSync(file, 'old\n');
  const lines: string[] = [];
  const follower = new LogFollower(file, (line) => lines.push(line));
  const bytes = Buffer.from('erste é\nzweite\n');
  const inTheMiddleOfALetter = bytes.indexOf(0xc3) + 1;
  appendFileSync(file, bytes.subarray(0, inTheMiddleOfALetter));
  follower.look();
  expect(lines).toEqual([]);
  appendFileSync(file, bytes.subarray(inTheMiddleOfALetter));
  follower.look();
  follower.look();
  expect(lines).toEqual(['erste é', 'zweite']);
});

test('a file that is not there yet has no lines', () => {
  const lines: string[] = [];
  const follower = new LogFollower(file, (line) => lines.push(line));
  follower.look();
  writeFileSync(file, 'first\n');
  follower.look();
  expect(lines).toEqual(['first']);
});
