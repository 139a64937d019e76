import { metrics } from '@opentelemetry/api';
import { pino } from 'pino';
import { Failures } from '#platform/failures/failures.ts';

/** For what tells of failures in a test that is not about them. */
export function silentFailures(): Failures {
  return new Failures(pino({ level: 'silent' }), { meter: metrics.getMeter('test') });
}
