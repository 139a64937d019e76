import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { withStepsBefore } from '../../../test/harness/steps-before.ts';
import { runExclusively } from '#ledger/exclusive.ts';
import { RecoveryScene } from './recovery.fixture.ts';

const scene = new RecoveryScene();
const { here, ledger, lines } = scene;

beforeAll(() => scene.start());
beforeEach(() => scene.begin());
afterEach(() => scene.end());
afterAll(() => scene.close());

test('one that another recovery has overtaken begins again, in an epoch of its own', async () => {
  const { id } = await scene.openCoupon();
  const recovery = await scene.recovery();
  await here.removeKeys();
  scene.keepDoing(recovery);
  await expect.poll(async () => (await ledger.coupons.find(id))!.epoch).toBe(2);
  await ledger.coupons.raiseEpochs([id], async () => new Map([[id, 0]]));
  expect(await scene.untilOpen([id], 0)).toEqual([4]);
  await expect.poll(scene.said).toContain('recovery done');
});

test('one that does not hear whether it has opened a gate that is shut begins again, in another epoch', async () => {
  const { id } = await scene.openCoupon();
  await here.removeKeys();
  let isDeaf = true;
  const gate = withStepsBefore(here.gate, async (method) => {
    if (method === 'open' && isDeaf) {
      isDeaf = false;
      throw new Error('no reply');
    }
  });
  const recovery = await scene.recovery(gate);
  scene.keepDoing(recovery);
  expect(await scene.untilOpen([id], 0)).toEqual([3]);
  await expect.poll(scene.said).toContain('recovery done');
  expect(scene.said()).toContain(`recovery of coupon ${id} failed; it is tried again`);
});

test('one that loses its claim on the way goes on in the same epoch', async () => {
  const { id } = await scene.openCoupon();
  await here.removeKeys();
  let disturbed = false;
  const gate = withStepsBefore(here.gate, async (method) => {
    if (method === 'open' && !disturbed) {
      disturbed = true;
      await here.gate.claim(id, 2, 'one of its own, late');
    }
  });
  const recovery = await scene.recovery(gate);
  scene.keepDoing(recovery);
  expect(await scene.untilOpen([id], 0)).toEqual([2]);
  await expect.poll(scene.said).toContain('recovery done');
});

test('one that is stopped on the way leaves the gate shut, and goes on in the epoch it has begun', async () => {
  const { id } = await scene.openCoupon();
  const recovery = await scene.recovery();
  await here.removeKeys();
  const first = scene.keepDoing(recovery);
  await expect.poll(async () => (await here.gate.inspect(id)).minEpoch).toBe(2);
  await first.stop();
  expect(lines.at(-1)!.msg).toBe('recovery ended before all gates were open');
  expect((await here.gate.inspect(id)).gate).toBe('fenced');

  scene.keepDoing(recovery);
  expect(await scene.untilOpen([id], 0)).toEqual([2]);
  await expect.poll(scene.said).toContain('recovery done');
});

test('of two keepers one recovers, and the other waits for its turn', async () => {
  const { id } = await scene.openCoupon();
  const recovery = await scene.recovery();
  await here.removeKeys();
  await runExclusively(ledger.connection, 'recovery', async () => {
    const before = performance.now();
    // What was read before the keys went is read again.
    await expect
      .poll(async () => {
        await recovery.run(new AbortController().signal);
        return performance.now() - before;
      })
      .toBeGreaterThan(1_900);
  });
  expect((await ledger.coupons.find(id))!.epoch).toBe(1);
  expect(scene.said()).toEqual([]);
});
