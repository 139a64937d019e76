import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Stack } from '../../infra/harness/stack.ts';
import { runToEnd } from '../../infra/local/processes/process.ts';
import { createProgress } from '../../infra/local/terminal/progress.ts';
import { startStack } from '../harness/stack/test-stack.ts';
import { ensureSchemathesis } from './schemathesis.ts';

/** What is held against the document: nothing of it is a matter of taste. */
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
  'response_headers_conformance',
  'negative_data_rejection',
];
const mostSeconds = 60;
const casesOfEach = 60;

let stack: Stack;
const folder = mkdtempSync(join(tmpdir(), 'firstcome-fuzz-'));

beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true });
});

it('schemathesis meets no 5xx, and no answer that the document does not have', async (context) => {
  const found = await ensureSchemathesis(createProgress());
  if ('missing' in found) {
    // Only here, where it cannot be installed: what it finds always fails.
    context.skip(`schemathesis cannot be had on this machine: ${found.missing}`);
    return;
  }
  const { publicUrl } = stack.app('api');
  // Of the events one never ends, where an id might still come.
  const options = `--checks ${checks.join()} --phases coverage,fuzzing --max-examples ${casesOfEach} --seed 1
    --max-time ${mostSeconds} --request-timeout 10 --no-color --warnings off --exclude-path-regex /events$`;
  const args = ['run', `${publicUrl}/docs-json`, ...options.split(/\s+/)];
  const { code, output } = await runToEnd(found.path, args, { cwd: folder });
  const cases = /^\s*(\d[\d,]*) generated/m.exec(output)?.[1] ?? '0';
  process.stdout.write(`schemathesis: ${cases} cases\n`);
  expect(code, output).toBe(0);
  expect(Number(cases.replaceAll(',', ''))).toBeGreaterThan(200);
});
