import type { Failure } from '#platform/failures/failure.ts';
import { isRefusal } from './redis-refusal.ts';

/** What ioredis says of a command that found no connection, or lost it. */
const awaySign = /Connection is closed|Stream isn't writeable|Socket timeout|Socket closed|aborted/;
const systemError = /^E(?!RR_)[A-Z]+$/;

/** Why a command of the gate failed, for metrics and log. */
export function redisFailure(error: unknown): Failure {
  const { name, message = '', code = '' } = (error ?? {}) as Partial<Error & { code: string }>;
  if (isRefusal(error)) {
    return { cause: 'redis_refuses_writes', error };
  }
  if (message === 'Command timed out') {
    return { cause: 'redis_timeout', error };
  }
  const isAway =
    name === 'MaxRetriesPerRequestError' || awaySign.test(message) || systemError.test(code);
  return { cause: isAway ? 'redis_away' : 'unexpected', error };
}
