import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faultPoints } from '#platform/fault-point.js';
import { FaultScenario } from '../support/fault-scenario.ts';

let scenario: FaultScenario;

beforeAll(async () => {
  scenario = await FaultScenario.start();
});
afterAll(() => scenario.stop());

describe('an api that is killed', () => {
  const points = faultPoints.filter((point) => point.startsWith('api.'));

  test.each(points)(
    'at %s: whoever was answered is issued, and whoever was not may ask again',
    async (point) => {
      const doomed = await scenario.stack.startApp(
        'api',
        { FAULT_POINT: point },
        { waitUntilReady: false },
      );
      expect(await doomed.exit()).toEqual({ code: null, signal: 'SIGKILL' });
      await scenario.untilServed();
    },
  );

  test('nothing is lost, and nobody has two', () => scenario.expectNothingLost());
});
