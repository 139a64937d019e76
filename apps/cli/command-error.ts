import type { ExitCode } from '#platform/command/exit-codes.ts';
import { exitCodes } from '#platform/command/exit-codes.ts';

/** Ends a command with this message and exit code; nothing else is shown. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';

  constructor(
    message: string,
    readonly exitCode: ExitCode = exitCodes.failed,
  ) {
    super(message);
  }
}

/** The command was called in a way that cannot be meant, whatever the stores say. */
export class WrongUseError extends CommandError {
  override readonly name = 'WrongUseError';

  constructor(message: string) {
    super(message, exitCodes.wrongUse);
  }
}
