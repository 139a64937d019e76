import { ecsFormat } from '@elastic/ecs-pino-format';
import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';
import { pino } from 'pino';

export type { Logger } from 'pino';

/** JSON lines in the Elastic Common Schema on standard output. */
export function createLogger(serviceName: string, level: string): Logger {
  return pino({ level, ...ecsFormat({ serviceName }) });
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
