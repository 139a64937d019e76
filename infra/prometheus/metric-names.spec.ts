import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AlertRule, RecordingRule } from './alert-rules.ts';
import { allRules } from './alert-rules.ts';

/** Its expression, and the queries that its description makes. */
function queriesOf(rule: AlertRule | RecordingRule): string[] {
  const made = 'alert' in rule ? rule.annotations.description.matchAll(/"([^"]*)"/g) : [];
  return [rule.expr, ...[...made].map((match) => match[1]!)];
}

/** The names of metrics in PromQL: what is neither text, nor a label, nor a function. */
function metricsIn(queries: string[]): string[] {
  const bare = queries
    .join(' ; ')
    .replaceAll(/"[^"]*"|'[^']*'/g, ' ')
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]/g, ' ')
    .replaceAll(/\b(by|on|ignoring)\s*\([^)]*\)/g, ' ');
  return [...bare.matchAll(/(?<![\w:])[a-z][\w:]*(?![\w:]|\s*\()/g)]
    .map((match) => match[0])
    .filter((word) => !['and', 'or', 'unless', 'by', 'on'].includes(word));
}

describe('what the rules ask for', () => {
  const documented = [
    ...readFileSync(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8').matchAll(/`(\w+)/g),
  ].map((match) => match[1]!);
  const records = allRules().flatMap((rule) => ('record' in rule ? [rule.record] : []));
  /** Of Prometheus itself, and of Debian's exporters. */
  const ofOthers = new Set([
    'up',
    'redis_up',
    'redis_memory_used_bytes',
    'redis_memory_max_bytes',
    'mysql_up',
    'mysql_global_status_threads_connected',
    'mysql_global_variables_max_connections',
    'namedprocess_namegroup_cpu_seconds_total',
    'node_cpu_seconds_total',
    'node_filesystem_avail_bytes',
    'node_filesystem_readonly',
    'node_filesystem_size_bytes',
    'node_memory_MemAvailable_bytes',
    'node_memory_MemTotal_bytes',
  ]);
  const asked = new Set(allRules().flatMap((rule) => metricsIn(queriesOf(rule))));

  it.each([...asked])('%s exists', (name) => {
    const histogram = name.replace(/_(count|sum|bucket)$/, '');
    const isKnown =
      ofOthers.has(name) ||
      records.includes(name) ||
      documented.includes(name) ||
      documented.includes(histogram);
    expect(isKnown).toBe(true);
  });
});
