import { pino } from 'pino';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openTestStores } from '../../../test/harness/stores/test-stores.ts';
import { CouponAdministration } from '#administration/coupon-administration.ts';
import type { Coupon } from '#coupon/coupon.ts';
import { EventPublisher } from '#event-log/publish/event-publisher.ts';
import { IssuanceLog } from '#event-log/publish/issuance-log.ts';
import { CouponSync } from './coupon-sync.ts';
import { GateSurvey } from './gate-survey.ts';
import { Relay } from './relay.ts';

const { ledger, here, log, openCoupon } = openTestStores();
const logger = pino({ level: 'silent' });

beforeAll(() => log.commitAll());

describe.each([
  ['lost a field', (keys) => here.raw.hdel(keys.meta, 'left')],
  ['has text for a number', (keys) => here.raw.hset(keys.meta, 'pending', 'many')],
  ['has a list for its holders', (keys) => replace(keys.holders)],
  ['has a list for what is pending', (keys) => replace(keys.pending)],
  ['has a list for all it says', (keys) => replace(keys.meta)],
] satisfies [string, (keys: ReturnType<typeof here.keys>) => Promise<unknown>][])(
  'beside a gate that %s',
  (_, breakIt) => {
    let broken: Coupon;
    let sound: Coupon;
    beforeEach(async () => {
      broken = await openCoupon();
      sound = await openCoupon();
      await breakIt(here.keys(broken.id));
    });

    test('the survey sees it shut, and the others as they are', async () => {
      const { coupons } = await new GateSurvey(ledger.coupons, here.gate, logger).take();
      const stateOf = (id: number): string | undefined =>
        coupons.find(({ coupon }) => coupon.id === id)?.gate.gate;
      expect([stateOf(broken.id), stateOf(sound.id)]).toEqual(['fenced', 'open']);
    });

    test('what was left unconfirmed is relayed', async () => {
      await here.take(sound.id, 'ann');
      const survey = new GateSurvey(ledger.coupons, here.gate, logger);
      await new Relay(survey, here.gate, log.log, 0, logger).run();
      expect(await here.gate.inspect(sound.id)).toMatchObject({ holders: 1, pending: 0 });
    });

    test('a change of another coupon is brought to its gate', async () => {
      const version = sound.version + 1;
      const raise = { action: 'set-total', total: 20, asRead: sound.version, version } as const;
      await ledger.coupons.change(sound.id, raise);
      await new CouponSync(
        new GateSurvey(ledger.coupons, here.gate, logger),
        here.gate,
        logger,
      ).run();
      expect(await here.gate.inspect(sound.id)).toMatchObject({ total: 20, version });
    });
  },
);

test('a coupon whose partition is not there holds up no relay of another, and is named', async () => {
  const lost = await openCoupon({ kafkaPartition: 77 });
  const sound = await openCoupon();
  await here.take(lost.id, 'ann');
  await here.take(sound.id, 'ann');
  const survey = new GateSurvey(ledger.coupons, here.gate, logger);
  // Not the ten seconds that publishers of tests have: one of the two waits for all of it.
  const publisher = new EventPublisher(log.kafka, { publishTimeoutMs: 4_000 });
  publisher.start();
  const ownLog = new IssuanceLog(publisher, log.topics);
  const relaying = new Relay(survey, here.gate, ownLog, 0, logger).run();
  await expect(relaying).rejects.toThrow(`coupon ${lost.id}: `);
  expect(await here.gate.inspect(sound.id)).toMatchObject({ pending: 0, holders: 1 });
  await new CouponAdministration(ledger.coupons, here.gate).close(lost.id);
  await publisher.close();
});

async function replace(key: string): Promise<void> {
  await here.raw.del(key);
  await here.raw.rpush(key, 'what another hand has put there');
}
