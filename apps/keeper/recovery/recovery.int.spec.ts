import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { aRequest } from '../../../test/harness/fixtures.ts';
import { withStepsBefore } from '../../../test/harness/steps-before.ts';
import { RecoveryScene } from './recovery.fixture.ts';

const scene = new RecoveryScene();
const { here, ledger, lines, log } = scene;

beforeAll(() => scene.start());
beforeEach(() => scene.begin());
afterEach(() => scene.end());
afterAll(() => scene.close());

test('opens what Redis has forgotten with everybody who was acknowledged, decided or not', async () => {
  const [first, second] = [await scene.openCoupon(0), await scene.openCoupon(1)];
  const decided = aRequest({ couponId: first.id, userId: 'ann' });
  await ledger.issuances.decideChunk([decided]);
  const inLog = aRequest({ couponId: second.id, userId: 'bob' });
  const recovery = await scene.recovery();
  expect(lines).toEqual([]);
  await here.removeKeys();
  await log.log.publishRequests([{ ...inLog, kafkaPartition: 1 }]);

  scene.keepDoing(recovery);
  expect(await scene.untilOpen([first.id, second.id], 0, 1)).toEqual([2, 2]);
  await expect.poll(scene.said).toContain('recovery done');
  const replayed = (issuanceId: string) => [{ kind: 'replayed', issuanceId, pending: false }];
  expect(await here.outcomes(first.id, 'ann')).toEqual(replayed(decided.issuanceId));
  expect(await here.outcomes(second.id, 'bob')).toEqual(replayed(inLog.issuanceId));
  expect(lines.filter(({ msg }) => /^recovery (begins|done)/.test(msg))).toMatchObject([
    { msg: 'recovery begins', gates: 2 },
    { msg: 'recovery done', opened: 2, holders_staged: 2, gates_waiting: 0 },
  ]);
});

test('a coupon that was just created is left to its creator, until the next look', async () => {
  const { id } = await scene.createCoupon(0);
  const recovery = await scene.recovery();
  expect((await ledger.coupons.find(id))!.epoch).toBe(1);
  scene.keepDoing(recovery);
  expect(await scene.untilOpen([id], 0)).toEqual([2]);
  await expect.poll(scene.said).toContain('recovery done');
});

test('a partition whose issuer stands still holds up only its own, whose epoch stays the one begun', async () => {
  const [slow, fast] = [await scene.openCoupon(0), await scene.openCoupon(1)];
  const recovery = await scene.recovery();
  await here.removeKeys();
  scene.keepDoing(recovery);
  expect(await scene.untilOpen([fast.id], 1)).toEqual([2]);
  expect((await here.gate.inspect(slow.id)).gate).toBe('fenced');
  await expect
    .poll(() => lines.at(-1))
    .toMatchObject({
      msg: 'recovery under way',
      gates_waiting: 1,
      opened: 1,
      waiting_for_issuers: [{ partition: 0, gates: 1 }],
    });
  expect(await scene.untilOpen([slow.id], 0)).toEqual([2]);
  await expect.poll(scene.said).toContain('recovery done');
});

test('a gate that shuts while others are recovered is recovered with them', async () => {
  const [first, second] = [await scene.openCoupon(0), await scene.openCoupon(1)];
  const recovery = await scene.recovery();
  await here.breakRunId(first.id);
  scene.keepDoing(recovery);
  await expect.poll(scene.said).toContain('recovery begins');
  await here.breakRunId(second.id);
  expect(await scene.untilOpen([second.id], 1)).toEqual([2]);
  expect((await here.gate.inspect(first.id)).gate).toBe('fenced');
  expect(await scene.untilOpen([first.id], 0)).toEqual([2]);
  await expect.poll(scene.said).toContain('recovery done');
});

test('one whose gate takes no fence holds up no other, and is named', async () => {
  const [broken, sound] = [await scene.openCoupon(0), await scene.openCoupon(0)];
  await here.removeKeys();
  const gate = withStepsBefore(here.gate, async (method, id) => {
    if (method === 'fence' && id === broken.id) {
      throw new Error('no reply to the fence');
    }
  });
  const recovery = await scene.recovery(gate);
  scene.keepDoing(recovery);
  expect(await scene.untilOpen([sound.id], 0)).toEqual([2]);
  expect((await here.gate.inspect(broken.id)).gate).not.toBe('open');
  await expect
    .poll(scene.said)
    .toContain(`recovery of coupon ${broken.id} failed; it is tried again`);
});
