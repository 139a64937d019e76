import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'mysql2';
import { fingerprintOf } from './fingerprint.ts';
import type { QueryListener } from './query-watch.ts';

/** A statement as it was sent once, with its values. */
export interface RecordedStatement {
  fingerprint: string;
  text: string;
  /** How many values are in it. */
  size: number;
  sample: string;
}

interface Extent {
  least: number;
  most: number;
}

/**
 * For tests only: notes which statements this process sends, in a file of its own in this directory: of
 * each kind the first, and again where there are half or twice as many values in it, since a list of
 * one is looked up in another way than one of many. What is noted is explained after all tests
 * (`test/statements`).
 */
export function recordStatements(directory: string): QueryListener {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${process.pid}.ndjson`);
  const recorded = new Map<string, Extent>();
  return ({ sql, values }) => {
    const { name: fingerprint, text } = fingerprintOf(sql);
    const size = countOf(values);
    const { least, most } = recorded.get(fingerprint) ?? { least: Infinity, most: 0 };
    if (size <= least / 2 || size >= most * 2 + 1) {
      recorded.set(fingerprint, { least: Math.min(least, size), most: Math.max(most, size) });
      const sample = format(sql, values as Parameters<typeof format>[1]);
      const statement: RecordedStatement = { fingerprint, text, size, sample };
      appendFileSync(file, `${JSON.stringify(statement)}\n`);
    }
  };
}

function countOf(values: unknown): number {
  return Array.isArray(values) ? values.reduce<number>((sum, value) => sum + countOf(value), 0) : 1;
}
