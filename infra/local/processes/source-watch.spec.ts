import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silent } from '../terminal/progress.ts';
import type { AppKind } from './apps.ts';
import { RestartOnChange } from './restart-on-change.ts';
import { watchSources } from './source-watch.ts';

const config = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2024',
    lib: ['es2024'],
    types: [],
    skipLibCheck: true,
    rootDir: '.',
    outDir: 'dist',
    noEmitOnError: true,
    rewriteRelativeImportExtensions: true,
  },
  include: ['apps', 'libs'],
};
const patient = { timeout: 60_000, interval: 50 };
let root: string;
let restarted: string[];
let said: string[];
let builds: number;
let ending: AbortController;
let watching: Promise<void>;

function save(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

function watchedApp(kind: AppKind): RestartOnChange {
  const app = {
    app: { name: kind, kind, args: [], env: {}, internalPort: 0 },
    restart: async () => void restarted.push(kind),
    ready: () => Promise.resolve(),
  };
  return new RestartOnChange(app, join(root, 'dist'), silent, ending.signal);
}

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'firstcome-'));
  [restarted, said, builds, ending] = [[], [], 0, new AbortController()];
  save('package.json', '{"type":"module"}');
  save('tsconfig.build.json', JSON.stringify(config));
  save('libs/gate/gate.ts', 'export const gate = 1;');
  save('libs/gate/scripts/open.lua', 'return 1');
  save('apps/api/main.ts', `import { gate } from '../../libs/gate/gate.ts';\nexport default gate;`);
  save('apps/keeper/main.ts', 'export default 1;');
  let apps: RestartOnChange[] = [];
  const onBuilt = (): void => {
    // What runs was started from the first build.
    if (builds === 0) apps = [watchedApp('api'), watchedApp('keeper')];
    apps.forEach((app) => app.built());
    builds += 1;
  };
  watching = watchSources({ root, onBuilt, say: (text) => said.push(text) }, ending.signal);
  await expect.poll(() => builds, patient).toBe(1);
}, 60_000);

afterEach(async () => {
  ending.abort();
  await watching;
  rmSync(root, { recursive: true });
});

test('a saved file restarts who loads it, a type error nobody', { timeout: 120_000 }, async () => {
  save('libs/gate/gate.ts', 'export const gate = 2;');
  await expect.poll(() => restarted, patient).toEqual(['api']);

  save('apps/keeper/main.ts', `const wrong: number = 'x';\nexport default wrong;`);
  save('apps/api/main.ts', 'export default 3;');
  await expect.poll(() => said.at(-1), patient).toMatch(/apps\/keeper\/main\.ts.*TS2322[^]*mended/);
  expect(restarted).toEqual(['api']);

  save('apps/keeper/main.ts', 'export default 2;');
  await expect.poll(() => restarted.toSorted(), patient).toEqual(['api', 'api', 'keeper']);
  expect(said.at(-1)).toBe('The sources compile again.');

  save('apps/api/main.ts', `import '../../libs/gate/gate.ts';\nexport default 4;`);
  await expect.poll(() => restarted.length, patient).toBe(4);
  save('libs/gate/scripts/open.lua', 'return 2');
  await expect.poll(() => restarted.length, patient).toBe(5);
  expect(restarted.filter((name) => name === 'keeper')).toHaveLength(1);
});
