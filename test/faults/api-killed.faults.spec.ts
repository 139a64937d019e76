import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FaultPoint } from '#platform/process/fault-point.ts';
import { FaultScenario } from '../harness/stack/fault-scenario.ts';

let scenario: FaultScenario;

beforeAll(async () => {
  scenario = await FaultScenario.start();
});
afterAll(() => scenario?.stop());

const points: [string, FaultPoint][] = [
  ['after reserve', 'api.reserved'],
  ['after publish', 'api.published'],
  ['after confirm', 'api.confirmed'],
];

describe('api SIGKILL', () => {
  test.each(points)(
    '%s: whoever was answered is issued, and whoever was not may ask again',
    async (_, point) => {
      const { stack } = scenario;
      const doomed = await stack.startApp('api', { FAULT_POINT: point }, { waitUntilReady: false });
      expect(await doomed.exit()).toEqual({ code: null, signal: 'SIGKILL' });
      await scenario.untilServed();
      await scenario.expectNothingLostSoFar();
    },
  );
});
