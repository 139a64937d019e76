import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

/** Each has cost somebody data; the lint has no rule for them. */
const forbidden: [what: string, pattern: RegExp, why: string][] = [
  ['the idempotent producer of kafkajs', /idempotent:\s*true/, 'it loses acknowledged records'],
  ['INSERT IGNORE', /INSERT\s+IGNORE/i, 'it hides every error, not only duplicates'],
];

const sources = execFileSync('git', ['ls-files', 'apps', 'libs', 'infra'], { encoding: 'utf8' })
  .split('\n')
  .filter((file) => /\.(ts|mjs|lua)$/.test(file) && !file.endsWith('forbidden.spec.ts'));

describe('the sources', () => {
  it.each(forbidden)('never use %s', (_, pattern) => {
    expect(sources.length).toBeGreaterThan(50);
    const found = sources.filter((file) => pattern.test(readFileSync(file, 'utf8')));
    expect(found).toEqual([]);
  });
});
