import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

/** The files that a forge reads, which nothing here runs. */

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Workflow {
  permissions: unknown;
  jobs: Record<string, { 'timeout-minutes': number; steps: { uses?: string; run?: string }[] }>;
}

interface Dependabot {
  updates: {
    'package-ecosystem': string;
    ignore?: { 'dependency-name': string; 'update-types'?: string[] }[];
  }[];
}

describe('.github/workflows/ci.yml', () => {
  const workflow = parse(read('.github/workflows/ci.yml')) as Workflow;
  const jobs = Object.values(workflow.jobs);
  const steps = jobs.flatMap((job) => job.steps);

  it('runs what CI runs everywhere', () => {
    expect(steps.map(({ run }) => run)).toContain('bash .ci/run');
  });

  it('may only read, and ends some time', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
    for (const job of jobs) expect(job['timeout-minutes']).toBeGreaterThan(0);
  });

  it('names the major version of each action', () => {
    for (const { uses } of steps) expect(uses ?? 'none@v1').toMatch(/@v\d+$/);
  });
});

describe('.github/dependabot.yml', () => {
  const { updates } = parse(read('.github/dependabot.yml')) as Dependabot;
  const ignored = updates.find((update) => update['package-ecosystem'] === 'npm')!.ignore!;
  const table = read('docs/dependencies.md').split('## Held versions\n')[1]!;
  const held = [...table.matchAll(/^\| `([^`]+)` +\| `([^`]+)` +\|/gm)];

  it('leaves alone what docs/dependencies.md holds, and nothing else', () => {
    const wanted = held.map(([, name, version]) => [name, isExact(version!) ? 'all' : 'minor']);
    const found = ignored.map((each) => [
      each['dependency-name'],
      each['update-types'] === undefined ? 'all' : 'minor',
    ]);
    expect(held.length).toBeGreaterThan(3);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(wanted));
  });

  it('takes patches of what is held at a minor version', () => {
    for (const { 'update-types': types } of ignored) {
      if (types === undefined) continue;
      expect(types).toEqual(['version-update:semver-major', 'version-update:semver-minor']);
    }
  });

  function isExact(version: string): boolean {
    return /^\d+\.\d+\.\d+$/.test(version);
  }
});
