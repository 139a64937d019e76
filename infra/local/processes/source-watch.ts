import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { rootDir } from './paths.ts';
import { runToEnd } from './process.ts';
import { ReadableError } from '../terminal/readable-error.ts';

export interface WatchedSources {
  /** Holds `apps`, `libs` and `tsconfig.build.json`. */
  root: string;
  /** Called when `dist` is built from what was saved, for the first time soon after the start. */
  onBuilt: () => void;
  say: (text: string) => void;
  /** Called with the process that compiles, for whoever must be able to end it. */
  onCompiler?: (pid: number) => void;
}

/** An editor saves a file in several steps. */
const saveMs = 50;
const tsc = join(rootDir, 'node_modules', 'typescript', 'bin', 'tsc');
const tscOptions = ['--project', 'tsconfig.build.json', '--watch', '--preserveWatchOutput'];
const completeDistScript = join(rootDir, 'infra', 'build', 'complete-dist.mjs');

/**
 * Keeps `dist` built until `signal` is aborted. While there is an error in the TypeScript, it is
 * told and nothing is written. Throws when the compiler ends by itself.
 */
export async function watchSources(sources: WatchedSources, signal: AbortSignal): Promise<void> {
  const lua = watchLua(sources);
  // What was saved before is built as well; of TypeScript, the compiler sees to that.
  await copyLua(sources);
  const options = process.stderr.isTTY ? [...tscOptions, '--pretty'] : tscOptions;
  const compiler = spawn(process.execPath, [tsc, ...options], {
    cwd: sources.root,
    // In a group of its own, so that Ctrl-C in the terminal does not reach it.
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (compiler.pid !== undefined) sources.onCompiler?.(compiler.pid);
  const kill = (): boolean => compiler.kill();
  signal.addEventListener('abort', kill);
  if (signal.aborted) kill();
  try {
    await followCompiler(createInterface({ input: compiler.stdout }), sources);
    if (!signal.aborted) throw new ReadableError('The compiler (tsc --watch) ended by itself.');
  } finally {
    signal.removeEventListener('abort', kill);
    kill();
    lua.close();
  }
}

async function followCompiler(
  lines: AsyncIterable<string>,
  { onBuilt, say }: WatchedSources,
): Promise<void> {
  let output: string[] = [];
  let failed = false;
  for await (const line of lines) {
    const errors = /Found (\d+) errors?\. Watching for file changes/.exec(line)?.[1];
    if (errors === '0') {
      if (failed) say('The sources compile again.');
      onBuilt();
    } else if (errors !== undefined) {
      say([...output, 'Until this is mended, all processes stay as they are.'].join('\n'));
    }
    if (errors !== undefined) failed = errors !== '0';
    if (/Starting (?:incremental )?compilation/.test(line)) output = [];
    else if (line !== '') output.push(line);
  }
}

/** tsc knows nothing of Lua files. */
function watchLua(sources: WatchedSources): { close(): void } {
  let copying: Promise<void> | undefined;
  const copy = async (): Promise<void> => {
    await sleep(saveMs);
    copying = undefined;
    if (await copyLua(sources)) sources.onBuilt();
  };
  return watch(join(sources.root, 'libs'), { recursive: true }, (_, file) => {
    if (file?.endsWith('.lua')) copying ??= copy();
  });
}

async function copyLua({ root, say }: WatchedSources): Promise<boolean> {
  const copied = await runToEnd(process.execPath, [completeDistScript], { cwd: root });
  if (copied.code !== 0) say(copied.output);
  return copied.code === 0;
}
