import { outliveReaders } from '#platform/command/closed-pipe.ts';
import { exitCodes } from '#platform/command/exit-codes.ts';
import { ReadableError } from './readable-error.ts';

/**
 * Runs one command of the command line: prints `usage` for `--help`, a readable error without its
 * stack, and exits with the code that `main` returns.
 */
export async function runCommand(
  usage: string,
  main: (args: string[]) => Promise<number>,
): Promise<void> {
  const args = process.argv.slice(2);
  outliveReaders((error) => {
    process.stderr.write(`Output could not be written: ${error.message}\n`);
    process.exitCode = exitCodes.failed;
  });
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage);
    return;
  }
  try {
    process.exitCode = await main(args);
  } catch (error) {
    process.stderr.write(`${inWords(error)}\n`);
    process.exitCode = error instanceof ReadableError ? error.exitCode : 1;
  }
}

/** With its stack only where nobody who runs a command can mend it. */
export function inWords(error: unknown): string {
  if (error instanceof ReadableError) {
    return error.message;
  }
  const { code, stack } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? 'The disk of this folder is full. Make room, then run the same command again.'
    : String(stack ?? error);
}

/**
 * Like `runCommand`, for one that takes minutes: Ctrl-C, SIGTERM or SIGHUP aborts `abort`, and `main`
 * then cleans up and throws whatever it likes.
 */
export function runInterruptible(
  usage: string,
  main: (args: string[], abort: AbortSignal) => Promise<number>,
): Promise<void> {
  return runCommand(usage, async (args) => {
    const interrupted = new AbortController();
    const removeHandlers = onStopSignal(
      () => interrupted.abort(),
      () => undefined,
    );
    try {
      return await main(args, interrupted.signal);
    } catch (error) {
      throw interrupted.signal.aborted ? new ReadableError('Interrupted.') : error;
    } finally {
      removeHandlers();
    }
  });
}

/** The error for an argument that a command does not know. */
export function unknownArgument(argument: string, usage: string): ReadableError {
  return new ReadableError(
    `Unknown argument: ${argument}\n\n${usage.trimEnd()}`,
    exitCodes.wrongUse,
  );
}

/**
 * Calls `stop` at the first Ctrl-C, SIGTERM or SIGHUP, and `hurry` at a second one. Signals within
 * a second of the first are the same one: a terminal and npm both pass Ctrl-C on. Returns a
 * function that takes the handlers away again.
 */
export function onStopSignal(
  stop: (signal: NodeJS.Signals) => void,
  hurry: () => void,
): () => void {
  const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  let firstAt: number | undefined;
  const handle = (signal: NodeJS.Signals): void => {
    if (firstAt === undefined) {
      firstAt = Date.now();
      stop(signal);
    } else if (Date.now() - firstAt > 1_000) {
      hurry();
    }
  };
  signals.forEach((signal) => process.on(signal, handle));
  return () => signals.forEach((signal) => process.off(signal, handle));
}
