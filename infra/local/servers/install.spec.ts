import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { missingPrograms, withoutServiceStarts } from './install.ts';
import type { Program } from './install.ts';

const programs: Program[] = [
  { binaries: ['redis-server'], apt: ['redis-server'], brew: 'redis' },
  { binaries: ['mvn'], apt: ['maven'], brew: 'maven' },
];
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'firstcome-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

test('says what to install, in the words of the system', () => {
  expect(missingPrograms(programs, 'linux')).toContain('apt-get install redis-server maven');
  expect(missingPrograms(programs, 'darwin')).toContain('brew install redis maven');
});

test('forbids the start of services only while it installs', async () => {
  const file = join(directory, 'policy-rc.d');
  expect(await withoutServiceStarts(async () => existsSync(file), file)).toBe(true);
  expect(existsSync(file)).toBe(false);
});

test("keeps a machine's own policy", async () => {
  const file = join(directory, 'policy-rc.d');
  writeFileSync(file, '');
  await withoutServiceStarts(async () => undefined, file);
  expect(existsSync(file)).toBe(true);
});
