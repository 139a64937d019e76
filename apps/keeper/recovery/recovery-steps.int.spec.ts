import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { aRequest } from '../../../test/harness/fixtures.ts';
import { withStepsBefore } from '../../../test/harness/steps-before.ts';
import { testKafka } from '../../../test/harness/stores/test-topics.ts';
import { parseRequestRecord } from '#coupon/events.ts';
import { readTopic } from '#event-log/inspect/log-reader.ts';
import { RecoveryScene } from './recovery.fixture.ts';

const scene = new RecoveryScene();
const { here, ledger, log } = scene;

beforeAll(() => scene.start());
beforeEach(() => scene.begin());
afterEach(() => scene.end());
afterAll(() => scene.close());

/** A store whose call of this method fails, once. */
function failingOnce<Store extends object>(
  store: Store,
  method: string,
  when: () => boolean = () => true,
): Store {
  let hasFailed = false;
  return withStepsBefore(store, async (called) => {
    if (called === method && !hasFailed && when()) {
      hasFailed = true;
      throw new Error('no reply');
    }
  });
}

const hasBegun = (): boolean => scene.said().includes('recovery begins');

/** Of which coupons markers were written, in that order. */
async function marked(): Promise<number[]> {
  const ids: number[] = [];
  await readTopic(testKafka(), log.topics.requested, ({ value }) => {
    const record = parseRequestRecord(value);
    if (record.kind === 'marker') {
      ids.push(...record.marker.epochs.map(({ couponId }) => couponId));
    }
  });
  return ids;
}

test('of the gates of a partition the most needed comes first, by what sells now and by demand', async () => {
  const [wanted, open, closed] = [
    await scene.openCoupon(),
    await scene.openCoupon(),
    await scene.openCoupon(),
  ];
  await ledger.query("UPDATE coupon SET state = 'closed' WHERE id = ?", [closed.id]);
  await ledger.issuances.decideChunk([aRequest({ couponId: wanted.id })]);
  const ids = [wanted.id, open.id, closed.id];
  const recovery = await scene.recovery();
  await here.removeKeys();
  scene.keepDoing(recovery);
  await scene.untilOpen(ids, 0);
  expect((await marked()).filter((id) => ids.includes(id))).toEqual(ids);
});

test('a gate that another has opened by the time of the look under the lock is left alone, in silence', async () => {
  const coupon = await scene.openCoupon();
  const { id } = coupon;
  let looks = 0;
  const gate = withStepsBefore(here.gate, async (method) => {
    looks += Number(method === 'inspect');
    if (method === 'inspect' && looks === 3) {
      await ledger.coupons.raiseEpochs([id], async () => new Map([[id, 1]]));
      await here.rebuild({ ...coupon, epoch: 2 }, []);
    }
  });
  const recovery = await scene.recovery(gate);
  expect(looks).toBe(1);
  await here.breakRunId(id);
  await expect
    .poll(async () => {
      await recovery.run(new AbortController().signal);
      return looks;
    })
    .toBeGreaterThanOrEqual(3);
  expect(await here.gate.inspect(id)).toMatchObject({ gate: 'open', epoch: 2 });
  expect(scene.said()).toEqual([]);
});

test('a coupon without a gate that came while others are recovered is recovered with them', async () => {
  const held = await scene.openCoupon(0);
  const recovery = await scene.recovery();
  await here.removeKeys();
  scene.keepDoing(recovery);
  await expect.poll(scene.said).toContain('recovery begins');
  const { id } = await scene.createCoupon(1);
  expect(await scene.untilOpen([id], 1)).toEqual([2]);
  expect((await here.gate.inspect(held.id)).gate).toBe('fenced');
  expect(await scene.untilOpen([held.id], 0)).toEqual([2]);
  await expect.poll(scene.said).toContain('recovery done');
});

test.each([
  ['what is shut', () => scene.recovery(failingOnce(here.gate, 'history', hasBegun))],
  ['partition 0', () => scene.recovery(here.gate, failingOnce(ledger.coupons, 'raiseEpochs'))],
  [
    'what waits for issuers',
    () => scene.recovery(here.gate, failingOnce(ledger.coupons, 'findAll')),
  ],
])('a step that fails is named, and tried again: %s', async (what, recoveryOf) => {
  const { id } = await scene.openCoupon();
  const recovery = await recoveryOf();
  await here.removeKeys();
  scene.keepDoing(recovery);
  await expect.poll(scene.said).toContain(`recovery of ${what} failed; it is tried again`);
  expect(await scene.untilOpen([id], 0)).toEqual([2]);
  await expect.poll(scene.said).toContain('recovery done');
});

test('a gate that cannot be built is named, and built some seconds later in the same epoch', async () => {
  const { id } = await scene.openCoupon();
  const recovery = await scene.recovery(failingOnce(here.gate, 'claim'));
  await here.removeKeys();
  scene.keepDoing(recovery);
  expect(await scene.untilOpen([id], 0)).toEqual([2]);
  expect(scene.said()).toContain(`recovery of coupon ${id} failed; it is tried again`);
  await expect.poll(scene.said).toContain('recovery done');
});
