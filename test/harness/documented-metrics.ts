import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface DocumentedMetric {
  name: string;
  type: string;
  /** Which processes show it. */
  processes: string[];
  labels: string[];
}

const file = join(import.meta.dirname, '../../docs/metrics.md');
const all = ['api', 'issuer', 'keeper'];

/** The rows of the tables in docs/metrics.md. */
export function documentedMetrics(): DocumentedMetric[] {
  const rows = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  return rows.map((row) => {
    const [, name, type, , process, labels] = row.split('|').map((cell) => cell.trim());
    return {
      name: name!.replaceAll('`', ''),
      type: type!,
      processes: process === 'all' ? all : process!.split(', '),
      labels: [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label!),
    };
  });
}
