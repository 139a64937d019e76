import { nodeArguments } from './build.ts';
import { rootDir } from './paths.ts';
import { runOrThrow, runToEnd } from './process.ts';

export interface CommandResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs a command of the command line, with `env` added to ours, and tells how it ended. */
export async function firstcome(
  env: Record<string, string>,
  ...args: string[]
): Promise<CommandResult> {
  const { code, stdout, stderr } = await runToEnd(process.execPath, cliArguments(args), place(env));
  return { exitCode: code ?? 1, stdout, stderr };
}

/** The same; returns what it prints, and throws what it says unless it exits with 0. */
export function firstcomeOrThrow(env: Record<string, string>, ...args: string[]): Promise<string> {
  const what = `firstcome ${args.slice(0, 2).join(' ')}`;
  return runOrThrow(what, process.execPath, cliArguments(args), place(env));
}

/** Creates a coupon that can be assigned, and returns its id. */
export async function createCoupon(
  env: Record<string, string>,
  total: number,
  ...options: string[]
): Promise<number> {
  const args = ['coupon', 'create', '--total', String(total), '--json', ...options];
  return (JSON.parse(await firstcomeOrThrow(env, ...args)) as { coupon_id: number }).coupon_id;
}

function cliArguments(args: string[]): string[] {
  return [...nodeArguments('cli'), ...args];
}

function place(env: Record<string, string>): { cwd: string; env: NodeJS.ProcessEnv } {
  return { cwd: rootDir, env: { ...process.env, ...env } };
}
