import type { LoggerService } from '@nestjs/common';
import type { DestinationStream, Logger } from 'pino';
import { destination, pino } from 'pino';
import { ecsOptions } from './ecs.ts';
import { withoutQuotedValues } from './quoted-values.ts';
import { readableLine } from './readable-line.ts';
import type { UserIdSettings } from './user-field.ts';
import { userField } from './user-field.ts';

export type { Logger } from 'pino';

export interface LogSettings extends UserIdSettings {
  LOG_LEVEL: string;
  LOG_FORMAT: 'auto' | 'json' | 'text';
}

/**
 * Lines on standard output: JSON in the Elastic Common Schema, or text where a person reads along. A
 * `user_id` is written as LOG_USER_IDS says; see `logging/ecs.ts` for the names of fields.
 */
export function createLogger(
  serviceName: string,
  settings: LogSettings,
  output: DestinationStream = destination({ sync: true }),
): Logger {
  const options = {
    level: settings.LOG_LEVEL,
    ...ecsOptions(serviceName, userField(settings)),
    hooks: { streamWrite: withoutQuotedValues },
  };
  return isReadByPeople(settings.LOG_FORMAT)
    ? pino(options, { write: (line) => output.write(`${readableLine(line)}\n`) })
    : pino(options, output);
}

function isReadByPeople(format: LogSettings['LOG_FORMAT']): boolean {
  return format === 'text' || (format === 'auto' && process.stdout.isTTY);
}

/** Lets Nest's own messages go the way of all others; its start-up chatter only shows at `debug`. */
export function toNestLogger(logger: Logger): LoggerService {
  return {
    log: (message, context) => logger.debug({ nest: context }, String(message)),
    debug: (message, context) => logger.debug({ nest: context }, String(message)),
    verbose: (message, context) => logger.trace({ nest: context }, String(message)),
    warn: (message, context) => logger.warn({ nest: context }, String(message)),
    error: (message, ...rest) => logger.error({ nest: rest }, String(message)),
    fatal: (message, ...rest) => logger.fatal({ nest: rest }, String(message)),
  };
}

/** Writes one line: the form in which libraries that know nothing of pino take a logger. */
export type LogFunction = (
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields: object,
) => void;

export function toLogFunction(logger: Logger): LogFunction {
  return (level, message, fields) => logger[level](fields, message);
}
