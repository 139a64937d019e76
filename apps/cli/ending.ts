import { CommanderError } from 'commander';
import { CouponError } from '#administration/coupon-error.ts';
import { ConfigError, logLevel } from '#platform/config/config.ts';
import { messageOf } from '#platform/text/error-message.ts';
import type { ExitCode } from '#platform/command/exit-codes.ts';
import { exitCodes } from '#platform/command/exit-codes.ts';
import { CommandError } from './command-error.ts';
import { storeAway } from './store-away.ts';

export interface Ending {
  exitCode: ExitCode;
  /** Nothing where all is said already. */
  message?: string;
}

/** How a command ends that threw: never with a stack, unless somebody looks for a mistake of ours. */
export function endingOf(error: unknown): Ending {
  if (error instanceof CommanderError) {
    return endingOfParsing(error);
  }
  if (error instanceof CommandError) {
    return { exitCode: error.exitCode, message: error.message };
  }
  if (error instanceof CouponError) {
    return { exitCode: exitCodes.failed, message: error.message };
  }
  if (error instanceof ConfigError) {
    return { exitCode: exitCodes.configuration, message: error.message };
  }
  const away = storeAway(error);
  if (away !== undefined) {
    return { exitCode: exitCodes.storeAway, message: away };
  }
  const isLookedInto = ['debug', 'trace'].includes(logLevel());
  const stack = isLookedInto ? (error as Error).stack : undefined;
  return { exitCode: exitCodes.failed, message: stack ?? messageOf(error) };
}

/** Help and version were asked for and printed; of anything else commander has said nothing yet. */
function endingOfParsing({ code, message, exitCode }: CommanderError): Ending {
  if (exitCode === 0) {
    return { exitCode: exitCodes.fine };
  }
  return code === 'commander.help'
    ? { exitCode: exitCodes.wrongUse }
    : {
        exitCode: exitCodes.wrongUse,
        message: message.replace(/^error: /, '').replaceAll('\n', ' '),
      };
}
