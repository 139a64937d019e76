import type { Telemetry } from '../telemetry/telemetry.ts';
import type { CheckWatch } from './check-watch.ts';

/** What a watch has found, for those who are not asked whether they are ready. */
export function observeChecks({ observed }: Telemetry, watch: CheckWatch): void {
  observed.gauge(
    'firstcome_promise_void',
    '1 when a setting or a store makes a promise void, by check; 0 when it does not.',
    (observe) => {
      for (const { name, verdict } of watch.found) {
        observe(verdict === 'promise_void' ? 1 : 0, { check: name });
      }
    },
  );
}
