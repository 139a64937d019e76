import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { FaultPoint } from '#platform/fault-point.js';
import { FaultScenario } from '../support/fault-scenario.ts';
import { aRequest, userIds } from '../support/fixtures.ts';
import { StackLog } from '../support/stack-log.ts';
import { StackStores } from '../support/stack-stores.ts';

const units = 20;
const users = userIds(units, 'too-late');

let scenario: FaultScenario;
let stores: StackStores;
let log: StackLog;

beforeAll(async () => {
  scenario = await FaultScenario.start({
    // The relay would publish what is reserved here before it is due.
    env: { KAFKA_PARTITIONS: '1', RELAY_AFTER_MS: '60000' },
  });
  stores = new StackStores(scenario.stack);
  log = await StackLog.connect(scenario.stack);
});
afterEach(() => scenario.expectNothingLostSoFar());
afterAll(async () => {
  await log.close();
  await stores.close();
  await scenario.stop();
});

/** What a crash leaves of a chunk in which `units` requests are refused. */
interface Remains {
  refusals: number;
  held: number;
}

async function remainsOf(couponId: number): Promise<Remains> {
  const [row] = await stores.query<{ refusals: number }>(
    'SELECT COUNT(*) AS refusals FROM refusal WHERE coupon_id = ?',
    [couponId],
  );
  const held = await stores.gate.heldBy(couponId, users);
  return { refusals: row!.refusals, held: held.filter((id) => id !== null).length };
}

/** Takes all units of a campaign, in a way that nobody was told so; returns the requests for the log. */
async function reserveAll(couponId: number): Promise<object[]> {
  const reserved = await stores.gate.reserve(couponId, users);
  const { epoch, outcomes } = reserved as Extract<typeof reserved, { gate: 'open' }>;
  return outcomes.map((outcome, i) =>
    aRequest({
      issuance_id: (outcome as { issuanceId: string }).issuanceId,
      coupon_id: couponId,
      user_id: users[i]!,
      epoch,
    }),
  );
}

describe('an issuer that is killed under load', () => {
  test.each<[string, FaultPoint, Remains]>([
    ['mid-transaction', 'issuer.in_transaction', { refusals: 0, held: units }],
    ['after the commit, before the release', 'issuer.committed', { refusals: units, held: units }],
    ['after the release', 'issuer.released', { refusals: units, held: 0 }],
    ['before the offset', 'issuer.told', { refusals: units, held: 0 }],
  ])(
    '%s (%s): its chunk is decided once, and what is refused comes back once',
    async (_, point, remains) => {
      const [couponId] = await stores.createCoupons(1, 1);
      const { total } = await stores.gate.inspect(couponId!);
      // Behind the back of the gate, so that the issuer has to refuse what the gate admits.
      await stores.query('UPDATE coupon SET total = 0 WHERE id = ?', [couponId]);
      const requests = await reserveAll(couponId!);
      // With nothing else in the log before them they are in the first chunk of the next issuer.
      await scenario.rush.pause();
      await scenario.stack.app('issuer').stop();
      await log.append(0, ...requests);
      const committed = await log.committed(0);
      scenario.rush.resume();

      const doomed = await scenario.stack.startApp(
        'issuer',
        { FAULT_POINT: point },
        { waitUntilReady: false },
      );
      expect(await doomed.exit()).toEqual({ code: null, signal: 'SIGKILL' });
      expect(await remainsOf(couponId!)).toEqual(remains);
      expect(await log.committed(0)).toBe(committed);

      await scenario.stack.startApp('issuer');
      await scenario.untilIssued();
      expect(await remainsOf(couponId!)).toEqual({ refusals: units, held: 0 });
      expect(await stores.gate.inspect(couponId!)).toMatchObject({ left: total, holders: 0 });
      await stores.query('UPDATE coupon SET total = ? WHERE id = ?', [total, couponId]);
    },
  );
});
