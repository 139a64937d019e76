import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mutate, sourceMutations } from './source-mutations.ts';

const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

test.each(sourceMutations.map((mutation) => [mutation.name, mutation] as const))(
  '"%s" still changes the code, and its test is there',
  (_name, mutation) => {
    const source = read(mutation.file);
    expect(mutate(source, mutation)).not.toBe(source);
    expect(read(mutation.spec)).toContain(mutation.test);
  },
);
