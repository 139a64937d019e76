import { pino } from 'pino';
import { Failures } from '#platform/failures/failures.ts';
import { Telemetry } from '#platform/telemetry/telemetry.ts';

/** For what tells of failures in a test that is not about them. */
export function silentFailures(): Failures {
  return new Failures(pino({ level: 'silent' }), new Telemetry('test', false));
}
