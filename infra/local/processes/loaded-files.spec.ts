import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mainFile } from './build.ts';
import { changedFiles, loadedFiles } from './loaded-files.ts';

const built = {
  'apps/api/main.js': `import '#gate/gate.ts';\nimport { page } from "./page.js";`,
  'apps/api/page.js': `export * from '#platform/words.ts'; import { main } from './main.js';`,
  'apps/keeper/main.js': `const later = await import('#platform/words.ts'); import pino from 'pino';`,
  'libs/gate/gate.js': `// from './nowhere.js'`,
  'libs/gate/scripts/open.lua': 'return 1',
  'libs/platform/words.js': '',
  'libs/platform/unused.js': '',
};
let dist: string;

function write(file: string, text: string): void {
  mkdirSync(dirname(join(dist, file)), { recursive: true });
  writeFileSync(join(dist, file), text);
}

const loads = (app: 'api' | 'keeper') => loadedFiles(dist, mainFile(app, dist));

beforeEach(() => {
  dist = mkdtempSync(join(tmpdir(), 'firstcome-'));
  Object.entries(built).forEach(([file, text]) => write(file, text));
});

afterEach(() => {
  rmSync(dist, { recursive: true });
});

describe('what a process loads', () => {
  it('is what its main file imports, near and far, and the scripts beside it', () => {
    expect([...loads('api').keys()].sort()).toEqual([
      'apps/api/main.ts',
      'apps/api/page.ts',
      'libs/gate/gate.ts',
      'libs/gate/scripts/open.lua',
      'libs/platform/words.ts',
    ]);
    expect([...loads('keeper').keys()].sort()).toEqual([
      'apps/keeper/main.ts',
      'libs/platform/words.ts',
    ]);
  });

  it.each([
    { file: 'libs/gate/gate.js', api: ['libs/gate/gate.ts'], keeper: [] },
    { file: 'libs/gate/scripts/open.lua', api: ['libs/gate/scripts/open.lua'], keeper: [] },
    {
      file: 'libs/platform/words.js',
      api: ['libs/platform/words.ts'],
      keeper: ['libs/platform/words.ts'],
    },
    { file: 'libs/platform/unused.js', api: [], keeper: [] },
  ])('changes for those that load $file, and for no other', ({ file, api, keeper }) => {
    const before = { api: loads('api'), keeper: loads('keeper') };
    write(file, 'new');
    expect(changedFiles(before.api, loads('api'))).toEqual(api);
    expect(changedFiles(before.keeper, loads('keeper'))).toEqual(keeper);
  });

  it('does not change when the same is built again', () => {
    const before = loads('api');
    write('libs/gate/gate.js', built['libs/gate/gate.js']);
    expect(changedFiles(before, loads('api'))).toEqual([]);
  });
});
