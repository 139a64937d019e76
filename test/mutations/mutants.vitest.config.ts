import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { onRealServers, shared } from '../../vitest.config.ts';

/** Set by mutants.ts: globs of the specs, separated by commas, and which of them are to run. */
const specs = (process.env['MUTANT_SPECS'] ?? '').split(',');
const kinds = process.env['MUTANT_KINDS'];
const isUnit = kinds === 'unit';
const leftOut = `${isUnit ? 'int,' : ''}${kinds === 'named' ? '' : 'outage,'}e2e,faults,last`;

export default defineConfig({
  ...shared,
  root: resolve(import.meta.dirname, '../..'),
  test: {
    ...(isUnit ? {} : onRealServers),
    include: specs,
    exclude: [`**/*.{${leftOut}}.spec.ts`],
    // A mutant may hang a test, and many do. Most tests take less than a second.
    expect: { poll: { timeout: 6_000 } },
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Modules of an earlier run are those without the mutants.
    fsModuleCache: false,
  },
});
