import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { rootDir } from '../../infra/local/processes/paths.ts';

/** Why there is no terminal to be had here; `undefined` when there is. */
export function terminalProblem(): string | undefined {
  const { status } = spawnSync('python3', ['-c', 'import pty, termios']);
  return status === 0 ? undefined : 'python3, which makes a terminal, is not on this machine';
}

/**
 * A command on a terminal of its own, with somebody at the keys. It is told nothing of who runs the
 * tests: `CI`, `NO_COLOR` and others of that kind change what a program shows.
 */
export class Terminal {
  /** All that it has shown, with everything that steers a terminal. */
  shown = '';
  private readonly child: ChildProcess;

  constructor(
    { columns, rows }: { columns: number; rows: number },
    command: string[],
    env: NodeJS.ProcessEnv,
  ) {
    const args = [
      join(import.meta.dirname, 'on-a-terminal.py'),
      String(columns),
      String(rows),
      ...command,
    ];
    this.child = spawn('python3', args, {
      cwd: rootDir,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TERM: 'xterm-256color', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.child.stdout!.on('data', (data: Buffer) => (this.shown += data.toString()));
  }

  type(keys: string): void {
    this.child.stdin!.write(keys);
  }

  /** The exit code of the command. */
  async ended(): Promise<number | null> {
    if (this.child.exitCode === null) {
      await once(this.child, 'exit');
    }
    return this.child.exitCode;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}
