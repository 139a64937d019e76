import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { localAlertmanagerConfig, localPrometheusConfig } from '../local/observe/configs.ts';
import { alertmanager, prometheus } from '../local/observe/programs.ts';
import { canInstall, ensurePrograms, programsMissing } from '../local/servers/install.ts';
import { createProgress } from '../local/terminal/progress.ts';
import { limitSeconds } from '../../test/alerts/report.ts';
import { alertKey, alertRules } from './alert-rules.ts';

/** Alerts, and what each must have. The tools of Prometheus themselves judge the files. */

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const files = (pattern: string): string[] => globSync(pattern, { cwd: root });

interface PromtoolTests {
  tests: {
    alert_rule_test: {
      alertname: string;
      exp_alerts: { exp_labels: Record<string, string> }[];
    }[];
  }[];
}

const alerts = alertRules();
const names = [...new Set(alerts.map(({ alert }) => alert))];
const unitTests = files('infra/prometheus/tests/*.yml').flatMap((file) =>
  (parse(read(file)) as PromtoolTests).tests.flatMap(({ alert_rule_test }) => alert_rule_test),
);

describe('the tools of Prometheus', () => {
  let missing: string[] = [];

  beforeAll(async () => {
    const programs = [prometheus, alertmanager];
    if (canInstall()) {
      await ensurePrograms(programs, createProgress());
    }
    missing = (await programsMissing(programs)).map(({ binaries }) => binaries[0]!);
  }, 300_000);

  const run = (tool: string, args: string[], { skip }: TestContext): string => {
    skip(missing.length > 0, `not on this machine, nor to be installed: ${missing.join(', ')}`);
    return execFileSync(tool, args, { cwd: root, encoding: 'utf8', stdio: 'pipe' });
  };

  it('read our configuration and our rules', (context) => {
    run('promtool', ['check', 'config', 'infra/prometheus/prometheus.yml'], context);
    run('promtool', ['check', 'rules', ...files('infra/prometheus/rules/*.yml')], context);
  });

  it('find each alert firing and not firing as its test says', (context) => {
    run('promtool', ['test', 'rules', ...files('infra/prometheus/tests/*.yml')], context);
  }, 60_000);

  it('would be told of a rule that fires otherwise than its test says', (context) => {
    const directory = mkdtempSync(join(tmpdir(), 'rules-'));
    const rules = read('infra/prometheus/rules/api.yml').replaceAll('0.01', '0.03');
    const tests = read('infra/prometheus/tests/api.test.yml').replace('../rules/', '');
    writeFileSync(join(directory, 'api.yml'), rules);
    writeFileSync(join(directory, 'api.test.yml'), tests);
    const test = (): string =>
      run('promtool', ['test', 'rules', join(directory, 'api.test.yml')], context);
    expect(test).toThrow();
    rmSync(directory, { recursive: true });
  });

  it('take Alertmanager as it is, and as npm run observe makes it', (context) => {
    run('amtool', ['check-config', 'infra/alertmanager/alertmanager.yml'], context);
    const file = join(mkdtempSync(join(tmpdir(), 'alertmanager-')), 'alertmanager.yml');
    for (const receivers of [
      {},
      { webhookUrl: 'http://127.0.0.1:1/' },
      { webhookUrl: 'http://127.0.0.1:1/', webhookTokenFile: '/token', slackUrlFile: '/slack' },
    ]) {
      writeFileSync(file, localAlertmanagerConfig(receivers));
      run('amtool', ['check-config', file], context);
    }
    rmSync(file);
  });

  it.for([
    ['critical', 'page'],
    ['warning', 'ticket'],
  ])('send what is %s to %s', ([severity, receiver], context) => {
    const file = 'infra/alertmanager/alertmanager.yml';
    const args = ['config', 'routes', 'test', `--config.file=${file}`, `severity=${severity}`];
    expect(run('amtool', args, context).trim()).toBe(receiver);
  });

  it('take Prometheus as npm run observe makes it', (context) => {
    const file = join(mkdtempSync(join(tmpdir(), 'prometheus-')), 'prometheus.yml');
    writeFileSync(file, localPrometheusConfig('127.0.0.1:9093'));
    run('promtool', ['check', 'config', file], context);
    rmSync(file);
  });
});

describe('each alert', () => {
  it.each(names)('%s is tested firing, in each of its severities, and not firing', (name) => {
    const ofName = unitTests.filter(({ alertname }) => alertname === name);
    const fired = ofName.flatMap(({ exp_alerts }) => exp_alerts.map((each) => each.exp_labels));
    const severities = alerts.filter(({ alert }) => alert === name).map(({ labels }) => labels);
    for (const { severity } of severities) {
      expect(fired).toContainEqual(expect.objectContaining({ severity }));
    }
    expect(ofName.some(({ exp_alerts }) => exp_alerts.length === 0)).toBe(true);
  });

  it.each(alerts)('$alert has a severity, a summary, a description and a number', (rule) => {
    expect(rule.labels.severity).toMatch(/^(warning|critical)$/);
    const { summary, description } = rule.annotations;
    expect(summary).not.toBe('');
    expect(description).not.toBe('');
    expect(summary + description).toMatch(/\$value|\| value/);
  });

  it.each(names)('%s has a runbook of its own name', (name) => {
    const path = `docs/runbooks/${name}.md`;
    for (const { annotations } of alerts.filter(({ alert }) => alert === name)) {
      expect(annotations.runbook_url).toBe(path);
    }
    const headings = read(path).match(/^#.*$/gm);
    const wanted = ['What it means', 'What to look at', 'What to do', 'When it resolves'];
    expect(headings).toEqual([`# ${name}`, ...wanted.map((heading) => `## ${heading}`)]);
  });

  it.each(names)('%s has a runbook that begins with what issuance is like now', (name) => {
    const [, look] = read(`docs/runbooks/${name}.md`).split('## What to look at\n\n');
    expect(look).toMatch(/^- `npm run -s firstcome -- status`: \S.{20}/);
  });

  it('has the only runbooks there are', () => {
    const runbooks = files('docs/runbooks/*.md').map((path) =>
      path.split('/').at(-1)!.slice(0, -3),
    );
    expect(runbooks.sort()).toEqual([...names].sort());
  });

  /** Rows of docs/reports/alerts.md by alert: fault, seconds to the receiver, window, seconds to the end. */
  const fired = Map.groupBy(
    read('docs/reports/alerts.md')
      .split('\n')
      .filter((line) => /^\| \w+ \((warning|critical)\)/.test(line))
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      ),
    ([alert]) => alert!,
  );

  it.each(alerts)(
    '$alert $labels.severity was fired for real in time, and its end was seen',
    (rule) => {
      const rows = fired.get(alertKey(rule)) ?? [];
      expect(rows).not.toEqual([]);
      for (const [, fault, after, window, end] of rows) {
        expect(fault).not.toBe('');
        const limit = limitSeconds({ alert: rule.alert, windowSeconds: Number(window) });
        // A row says `never` where it was waited for in vain: that is no number.
        expect(Number(after)).toBeLessThanOrEqual(limit);
        expect(Number(end)).toBeGreaterThan(0);
      }
    },
  );
});
