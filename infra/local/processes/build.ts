import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootDir } from './paths.ts';
import { runOrThrow } from './process.ts';
import type { Report } from '../terminal/progress.ts';

const sources = [
  'apps',
  'libs',
  'infra/build',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
];
export const distDir = join(rootDir, 'dist');
const stampFile = join(distDir, '.built-from');

const apps = ['api', 'issuer', 'keeper', 'cli'] as const;
export type App = (typeof apps)[number];

/**
 * What to tell `node` to run a compiled app; the image does the same. Left to itself V8 grows its
 * young generation under load, and an api from 180 to 290 MB, without getting faster.
 */
export function nodeArguments(app: App): string[] {
  return ['--max-semi-space-size=16', '--max-old-space-size=256', mainFile(app)];
}

/** Where the compiled main file of an app is. */
export function mainFile(app: App, dist = distDir): string {
  return join(dist, 'apps', app, 'main.js');
}

/** Builds `dist` unless it was built from exactly these sources. Throws what the compiler says. */
export async function ensureBuilt(report: Report): Promise<void> {
  // Taken before the build: a file saved while it runs makes the next start build again.
  const fingerprint = fingerprintSources();
  if (isBuilt() && readStamp() === fingerprint) {
    return;
  }
  if (!isBuilt()) {
    // What tsc remembers of an earlier build would make it skip files that are no longer there.
    rmSync(join(distDir, '.tsbuildinfo'), { force: true });
  }
  await report.step('build', () =>
    runOrThrow('The build', 'npm', ['run', '-s', 'build'], { cwd: rootDir }),
  );
  writeFileSync(stampFile, fingerprint);
}

function isBuilt(): boolean {
  return apps.every((app) => existsSync(mainFile(app)));
}

function readStamp(): string | undefined {
  return existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : undefined;
}

/** Name, size and time of every file that is built: also notices a file that was deleted. */
function fingerprintSources(): string {
  const hash = createHash('sha256');
  for (const source of sources) {
    for (const file of filesUnder(join(rootDir, source)).sort()) {
      const { size, mtimeMs } = statSync(file);
      hash.update(`${file} ${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest('hex');
}

function filesUnder(path: string): string[] {
  if (!statSync(path).isDirectory()) {
    return [path];
  }
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.spec.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}
