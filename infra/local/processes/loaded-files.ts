import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** Source files, as `libs/gate/gate.ts`, with a digest of what was built from each. */
export type LoadedFiles = Map<string, string>;

/**
 * What the process whose compiled main file is `mainFile` loads from `dist`: that file, what it
 * imports, and the Lua scripts in folders beside those.
 */
export function loadedFiles(dist: string, mainFile: string): LoadedFiles {
  const files: LoadedFiles = new Map();
  const toVisit = [mainFile];
  for (let file = toVisit.pop(); file !== undefined; file = toVisit.pop()) {
    const source = relative(dist, file).replace(/\.js$/, '.ts');
    if (files.has(source) || !existsSync(file)) {
      continue;
    }
    const code = readFileSync(file, 'utf8');
    files.set(source, digest(code));
    toVisit.push(...importsOf(code).map((specifier) => resolve(dist, file, specifier)));
  }
  for (const script of globSync('**/*.lua', { cwd: dist })) {
    const reader = dirname(dirname(script));
    if ([...files.keys()].some((file) => dirname(file) === reader)) {
      files.set(script, digest(readFileSync(join(dist, script), 'utf8')));
    }
  }
  return files;
}

/** The files of `after` that are new or different. One that is gone was imported by one of them. */
export function changedFiles(before: LoadedFiles, after: LoadedFiles): string[] {
  return [...after].filter(([file, hash]) => before.get(file) !== hash).map(([file]) => file);
}

/** What a compiled module imports of ours. Text that only looks like an import leads nowhere. */
function importsOf(code: string): string[] {
  return [...code.matchAll(/\b(?:from|import)\b[\s(]*['"]([.#][^'"]+)['"]/g)].map(
    ([, specifier]) => specifier!,
  );
}

/** `#gate/gate.ts` is `libs/gate/gate.js` of the build: see `infra/build/complete-dist.mjs`. */
function resolve(dist: string, importer: string, specifier: string): string {
  return specifier.startsWith('#')
    ? join(dist, 'libs', specifier.slice(1).replace(/\.ts$/, '.js'))
    : join(dirname(importer), specifier);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
