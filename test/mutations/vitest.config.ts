import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { onRealServers, shared } from '../../vitest.config.ts';
import { mutate, sourceMutations } from './source-mutations.ts';

const root = resolve(import.meta.dirname, '../..');
const mutation = sourceMutations.find(({ name }) => name === process.env['SOURCE_MUTATION']);

/** Changes the source as it is loaded: nothing is written. */
const mutating = {
  name: 'source-mutation',
  enforce: 'pre' as const,
  transform: (code: string, id: string): string | undefined =>
    mutation !== undefined && id === resolve(root, mutation.file)
      ? mutate(code, mutation)
      : undefined,
};

export default defineConfig({
  root,
  plugins: [mutating, ...shared.plugins],
  test: {
    ...onRealServers,
    include: ['**/*.int.spec.ts'],
    // Modules of an earlier run are those without the change.
    fsModuleCache: false,
  },
});
