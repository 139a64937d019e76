import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { shared } from '../../vitest.config.ts';

export default defineConfig({
  ...shared,
  root: resolve(import.meta.dirname, '../..'),
  test: {
    include: ['libs/{coupon,admission}/**/*.spec.ts'],
    exclude: ['**/*.{int,e2e,outage,faults}.spec.ts'],
    fsModuleCache: false,
  },
});
