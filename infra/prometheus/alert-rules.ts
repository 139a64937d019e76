import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export interface AlertRule {
  alert: string;
  expr: string;
  for?: string;
  labels: { severity: string };
  annotations: { summary: string; description: string; runbook_url: string };
}

export interface RecordingRule {
  record: string;
  expr: string;
}

const directory = import.meta.dirname;

interface RuleFile {
  groups: { rules: (AlertRule | RecordingRule)[] }[];
}

/** What stands in infra/prometheus/rules, or in the file of this name there. */
export function allRules(name = '*'): (AlertRule | RecordingRule)[] {
  return globSync(`rules/${name}.yml`, { cwd: directory }).flatMap((file) =>
    (parse(readFileSync(join(directory, file), 'utf8')) as RuleFile).groups.flatMap(
      ({ rules }) => rules,
    ),
  );
}

export function alertRules(name?: string): AlertRule[] {
  return allRules(name).filter((rule) => 'alert' in rule);
}

/** How one alert is called in tables: its severity is part of it. */
export function alertKey({ alert, labels }: Pick<AlertRule, 'alert' | 'labels'>): string {
  return `${alert} (${labels.severity})`;
}
