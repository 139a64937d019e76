import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { FaultPoint } from '#platform/process/fault-point.ts';
import type { FaultScenario } from '../harness/stack/fault-scenario.ts';
import { OpenScenario } from '../harness/stack/open-scenario.ts';
import type { RefusedState } from '../harness/stack/refused-units.ts';
import { RefusedUnits } from '../harness/stack/refused-units.ts';
import type { StackLog } from '../harness/stack/stack-log.ts';
import type { StackStores } from '../harness/stack/stack-stores.ts';

let opened: OpenScenario;
let scenario: FaultScenario;
let stores: StackStores;
let log: StackLog;

beforeAll(async () => {
  opened = await OpenScenario.start({
    // The relay would publish what is reserved here before it is due.
    env: { KAFKA_PARTITIONS: '1', RELAY_AFTER_MS: '60000' },
  });
  ({ scenario, stores, log } = opened);
});
afterEach(() => scenario.expectNothingLostSoFar());
afterAll(() => opened?.stop());

describe('an issuer that is killed under load', () => {
  test.each<[string, FaultPoint, RefusedState]>([
    ['mid-transaction', 'issuer.in_transaction', { refusals: 0, held: 20 }],
    ['after the commit, before the release', 'issuer.committed', { refusals: 20, held: 20 }],
    ['after the release', 'issuer.released', { refusals: 20, held: 0 }],
    ['before the offset', 'issuer.told', { refusals: 20, held: 0 }],
  ])(
    '%s (%s): its chunk is decided once, and what is refused comes back once',
    async (_, point, left) => {
      const { stack, rush } = scenario;
      const refused = await RefusedUnits.reserve(stores);
      // With nothing else in the log before them they are in the first chunk of the next issuer.
      await rush.pause();
      await scenario.untilIssued();
      await stack.app('issuer').stop();
      await log.append(0, ...refused.requests);
      const committed = await log.committed(0);
      rush.resume();

      const fault = { FAULT_POINT: point };
      const doomed = await stack.startApp('issuer', fault, { waitUntilReady: false });
      expect(await doomed.exit()).toEqual({ code: null, signal: 'SIGKILL' });
      expect(await refused.state()).toEqual(left);
      expect(await log.committed(0)).toBe(committed);

      await stack.startApp('issuer');
      await scenario.untilIssued();
      await refused.expectBackInStock();
    },
  );
});
