import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addCounts, countTests, formatCounts } from './test-counts.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'firstcome-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function reportFile(report: object): string {
  const file = join(directory, 'report.json');
  const nothing = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 };
  writeFileSync(file, JSON.stringify({ ...nothing, testResults: [], ...report }));
  return file;
}

test('counts what vitest counted', () => {
  const file = reportFile({ numPassedTests: 5, numPendingTests: 2, numTodoTests: 1 });
  expect(countTests(file, 0)).toEqual({ passed: 5, failed: 0, skipped: 3 });
});

test('a test file that cannot be loaded is a failed test', () => {
  const broken = { status: 'failed', assertionResults: [] };
  const file = reportFile({ numPassedTests: 5, testResults: [broken] });
  expect(countTests(file, 1).failed).toBe(1);
});

test('a run that fails without a failed test is a failed test', () => {
  expect(countTests(reportFile({ numPassedTests: 5 }), 1).failed).toBe(1);
  expect(countTests(join(directory, 'missing.json'), 1).failed).toBe(1);
});

test('adds up and prints one line', () => {
  const sum = addCounts({ passed: 1, failed: 0, skipped: 0 }, { passed: 2, failed: 1, skipped: 3 });
  expect(formatCounts(sum)).toBe('3 passed, 1 failed, 3 skipped');
  expect(formatCounts({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed');
});
