import { randomUUID } from 'node:crypto';
import type { Config } from '#platform/config/config.ts';
import { environmentSchema } from '#platform/config/config.ts';

/** The configuration that leads to the servers of the tests; what a test is about is given. */
export function testConfig(given: Partial<Record<keyof Config, string>> = {}): Config {
  return environmentSchema.parse({ ...process.env, ...given });
}

/** Short, and different each time: what one test file leaves cannot be met by another. */
export function uniqueName(): string {
  return `test-${randomUUID().slice(0, 8)}`;
}
