import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { IConfiguration, ICruiseOptions } from 'dependency-cruiser';
import { cruise } from 'dependency-cruiser';
import { describe, expect, it } from 'vitest';

/** Plain JavaScript, since its command line reads it, too: imported without its types. */
const configFile = new URL('../../.dependency-cruiser.mjs', import.meta.url).href;
const { default: config } = (await import(configFile)) as { default: IConfiguration };

/** A tree with one arrow: `from` imports `to`. Returns the rules that it breaks. */
async function brokenRules(from: string, to: string): Promise<string[]> {
  const root = mkdtempSync(join(tmpdir(), 'firstcome-boundaries-'));
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  const isPackage = !to.includes('/') || to.startsWith('@');
  if (isPackage) {
    write(`node_modules/${to}/package.json`, '{ "main": "index.js" }');
    write(`node_modules/${to}/index.js`, '');
  } else {
    write(to, 'export const here = 1;\n');
  }
  write('package.json', JSON.stringify({ dependencies: isPackage ? { [to]: '1' } : {} }));
  const depth = from.split('/').length - 1;
  write(from, `import '${isPackage ? to : '../'.repeat(depth) + to}';\n`);
  const { tsConfig: _, ...options } = config.options!;
  try {
    const { output } = await cruise([from], {
      ...(options as ICruiseOptions),
      baseDir: root,
      validate: true,
      ruleSet: config,
    });
    const { violations } = (output as Exclude<typeof output, string>).summary;
    return violations.map(({ rule }) => rule.name);
  } finally {
    rmSync(root, { recursive: true });
  }
}

describe('an arrow that is turned fails the check', () => {
  it.each([
    ['libs/coupon/decide.ts', 'libs/ledger/exclusive.ts', 'libs-coupon'],
    ['libs/gate/gate.ts', 'libs/event-log/topics.ts', 'libs-gate'],
    ['libs/ledger/exclusive.ts', 'libs/gate/gate.ts', 'libs-ledger'],
    ['libs/event-log/topics.ts', 'libs/admission/redrive.ts', 'libs-event-log'],
    ['libs/platform/work/loop.ts', 'libs/coupon/coupon.ts', 'libs-platform'],
    ['libs/audit/auditor.ts', 'apps/cli/text.ts', 'libs-audit'],
    ['libs/gate/gate.ts', 'test/harness/stack.ts', 'libs-gate'],
    ['libs/new/thing.ts', 'libs/coupon/coupon.ts', 'every-lib-has-a-place'],
    [
      'libs/event-log/publish/issuance-log.ts',
      'libs/event-log/consume/partition/delivery.ts',
      'event-log-publish',
    ],
    [
      'libs/event-log/inspect/log-reader.ts',
      'libs/event-log/consume/partition/delivery.ts',
      'event-log-inspect',
    ],
    ['apps/api/main.ts', 'apps/keeper/gates/relay.ts', 'apps-stand-alone'],
    ['apps/api/main.ts', 'infra/local/processes/paths.ts', 'apps-stand-alone'],
    ['infra/local/commands/demo.ts', 'test/harness/stack.ts', 'infra-knows-no-tests'],
    ['infra/local/commands/demo.ts', 'bench/bench.ts', 'infra-knows-no-tests'],
    ['test/harness/stack.ts', 'apps/api/main.ts', 'tests-use-libs-not-apps'],
    ['apps/keeper/gates/relay.ts', 'kafkajs', 'kafkajs-in-one-place'],
    ['libs/audit/auditor.ts', 'typeorm', 'typeorm-in-one-place'],
    ['libs/ledger/exclusive.ts', 'ioredis', 'ioredis-in-one-place'],
    ['apps/api/main.ts', 'bullmq', 'bullmq-in-one-place'],
    ['libs/stores/stores.ts', '@nestjs/bullmq', '@nestjs/bullmq-in-one-place'],
  ])('%s → %s', async (from, to, rule) => {
    expect(await brokenRules(from, to)).toContain(rule);
  });

  it.each([
    ['libs/gate/gate.ts', 'libs/coupon/coupon.ts'],
    ['libs/gate/gate-connection.ts', 'ioredis'],
    ['libs/gate/gate.int.spec.ts', 'test/harness/stores/test-gate.ts'],
    ['apps/keeper/audit/audit-job.ts', 'bullmq'],
    ['test/harness/stack.ts', 'infra/local/processes/paths.ts'],
  ])('and one that is not passes: %s → %s', async (from, to) => {
    expect(await brokenRules(from, to)).toEqual([]);
  });
});

describe('docs/architecture.md', () => {
  it('shows the graph as it is drawn now (npm run graph:generate)', () => {
    const drawn = execFileSync('npm', ['run', '-s', 'graph'], { encoding: 'utf8' });
    expect(readFileSync('docs/architecture.md', 'utf8')).toContain(drawn);
  }, 30_000);
});
