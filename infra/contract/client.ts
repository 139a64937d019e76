import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@hey-api/openapi-ts';

const folder = 'libs/client/generated';
/** The calls are ours to make: the transport that is generated is larger than the whole client may be. */
const transport = '../transport.ts';
const generatedTransport = /'\.\/client(?:\.gen|\/index)\.ts'/g;

/** Types and calls of `docs/openapi.json`, by the file they belong in. */
export async function generateClient(): Promise<Record<string, string>> {
  const path = mkdtempSync(join(tmpdir(), 'firstcome-client-'));
  try {
    await createClient({
      input: withoutExamples(readFileSync('docs/openapi.json', 'utf8')),
      output: { path, module: { extension: '.ts' } },
      logs: { level: 'silent', file: false },
      // A browser has `EventSource` for these.
      parser: { filters: { operations: { exclude: ['/^GET .*\\/events$/'] } } },
      plugins: ['@hey-api/typescript', '@hey-api/sdk', '@hey-api/client-fetch'],
    });
    const read = (name: string): string => readFileSync(join(path, name), 'utf8');
    return {
      [`${folder}/types.gen.ts`]: read('types.gen.ts'),
      [`${folder}/sdk.gen.ts`]: read('sdk.gen.ts').replaceAll(generatedTransport, `'${transport}'`),
    };
  } finally {
    rmSync(path, { recursive: true });
  }
}

/** They are for people; the generator complains of each. */
function withoutExamples(json: string): Record<string, unknown> {
  const keep = (name: string, value: unknown): unknown => (name === 'examples' ? undefined : value);
  return JSON.parse(json, keep) as Record<string, unknown>;
}
