export interface Series {
  labels: Record<string, string>;
  value: number;
}

export interface Family {
  name: string;
  type: string;
  series: Series[];
}

const suffixes = /_(?:bucket|count|sum)$/;

/** What `/metrics` shows, by name; a histogram is one of them, without `le`. */
export function parseMetrics(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    families.set(name!, { name: name!, type: type!, series: [] });
  }
  for (const [, name, labels, value] of text.matchAll(/^([a-z_]+)(?:\{(.*)\})? (\S+)$/gm)) {
    const family = families.get(name!) ?? families.get(name!.replace(suffixes, ''));
    if (family === undefined) {
      throw new Error(`${name} has no type`);
    }
    const { le: _, ...rest } = parseLabels(labels ?? '');
    family.series.push({ labels: rest, value: Number(value) });
  }
  return families;
}

function parseLabels(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
  return Object.fromEntries(pairs.map(([, name, value]) => [name!, value!]));
}
