import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { aRequest } from '../../test/harness/fixtures.ts';
import { keptLines } from '../../test/harness/kept-lines.ts';
import { withStepsBefore } from '../../test/harness/steps-before.ts';
import { TestGate } from '../../test/harness/test-gate.ts';
import { TestLedger } from '../../test/harness/test-ledger.ts';
import { TestLog } from '../../test/harness/test-log.ts';
import { testKafka } from '../../test/harness/test-topics.ts';
import type { Coupon } from '#coupon/coupon.ts';
import { parseRequestRecord } from '#coupon/events.ts';
import { readTopic } from '#event-log/inspect/log-reader.ts';
import { runExclusively } from '#ledger/exclusive.ts';
import { Loop } from '#platform/loop.ts';
import { Telemetry } from '#platform/telemetry/telemetry.ts';
import { GateRebuild } from './gate-rebuild.ts';
import { GateSurvey } from './gate-survey.ts';
import { Recovery } from './recovery.ts';
import { RecoveryMarkers } from './recovery-markers.ts';
import { RecoveryProgress } from './recovery-progress.ts';
import { RecoveryStart } from './recovery-start.ts';

const log = new TestLog();
const here = new TestGate();
const { lines, logger } = keptLines();
const ledger = new TestLedger();
let loops: Loop[];
/** Markers of earlier tests are still in the log: no id comes twice. */
let lastCouponId = 0;

beforeAll(() => Promise.all([ledger.start(), here.start(), log.start()]));
afterAll(() => Promise.all([ledger.close(), here.close(), log.close()]));
beforeEach(async () => {
  // A recovery looks at every coupon there is.
  await ledger.query('DELETE FROM issuance');
  await ledger.query('DELETE FROM coupon');
  lines.length = 0;
  loops = [];
  await here.removeKeys();
});
afterEach(async () => {
  await Promise.all(loops.map((loop) => loop.stop()));
});

/** The recovery of one keeper, as `createDuties` puts it together. */
function aRecovery(gate = here.gate): Recovery {
  const { coupons, issuances, connection } = ledger;
  const progress = new RecoveryProgress(logger, new Telemetry('test', false));
  return new Recovery(
    new GateSurvey(coupons, gate, logger),
    connection,
    issuances,
    new RecoveryStart(coupons, gate, (id, error) => progress.failed(`coupon ${id}`, error)),
    () =>
      new RecoveryMarkers(coupons, log.log, (partition, error) =>
        progress.failed(`partition ${partition}`, error),
      ),
    new GateRebuild(coupons, issuances, gate, (holders) => progress.staged(holders)),
    progress,
  );
}

/** One that has looked once, and knows what coupons there are. */
async function aRecoveryThatKnows(gate?: TestGate['gate']): Promise<Recovery> {
  const recovery = aRecovery(gate);
  await recovery.run(new AbortController().signal);
  return recovery;
}

/** Does it again and again, as a keeper does, until the end of the test at the latest. */
function keepDoing(recovery: Recovery): Loop {
  const loop = new Loop('recovery', 20, (signal) => recovery.run(signal), logger);
  loops.push(loop);
  loop.start();
  return loop;
}

async function createCoupon(kafkaPartition: number): Promise<Coupon> {
  lastCouponId += 1;
  return ledger.createCoupon({ id: lastCouponId, kafkaPartition });
}

async function openCoupon(kafkaPartition = 0): Promise<Coupon> {
  const coupon = await createCoupon(kafkaPartition);
  await here.rebuild(coupon, []);
  return coupon;
}

/** What was said of the recovery. */
function said(): string[] {
  return lines.map(({ msg }) => msg).filter((msg) => msg.startsWith('recovery'));
}

/** What the issuers of these partitions do with all that is in the log. */
async function decideAll(...partitions: number[]): Promise<void> {
  await readTopic(
    testKafka(),
    log.topics.requested,
    async ({ value }, partition) => {
      const record = parseRequestRecord(value);
      if (record.kind === 'marker' && partitions.includes(partition)) {
        await ledger.issuances.applyMarker(record.marker);
      } else if (record.kind === 'request' && partitions.includes(partition)) {
        await ledger.issuances.decideChunk([record.request]);
      }
    },
    { groupPrefix: log.prefix },
  );
}

/** Lets the issuers work until these gates are open; returns the epochs they are open in. */
async function untilOpen(ids: number[], ...partitions: number[]): Promise<number[]> {
  await expect
    .poll(
      async () => {
        await decideAll(...partitions);
        const gates = await Promise.all(ids.map((id) => here.gate.inspect(id)));
        return gates.map(({ gate }) => gate);
      },
      { interval: 100 },
    )
    .toEqual(ids.map(() => 'open'));
  return Promise.all(ids.map(async (id) => (await here.gate.inspect(id)).epoch));
}

test('opens what Redis has forgotten with everybody who was acknowledged, decided or not', async () => {
  const [first, second] = [await openCoupon(0), await openCoupon(1)];
  const decided = aRequest({ couponId: first.id, userId: 'ann' });
  await ledger.issuances.decideChunk([decided]);
  const inLog = aRequest({ couponId: second.id, userId: 'bob' });
  const recovery = await aRecoveryThatKnows();
  expect(lines).toEqual([]);
  await here.removeKeys();
  await log.log.publishRequests([{ ...inLog, kafkaPartition: 1 }]);

  keepDoing(recovery);
  expect(await untilOpen([first.id, second.id], 0, 1)).toEqual([2, 2]);
  await expect.poll(said).toContain('recovery done');
  const replayed = (issuanceId: string) => [{ kind: 'replayed', issuanceId, pending: false }];
  expect(await here.outcomes(first.id, 'ann')).toEqual(replayed(decided.issuanceId));
  expect(await here.outcomes(second.id, 'bob')).toEqual(replayed(inLog.issuanceId));
  expect(lines.filter(({ msg }) => /^recovery (begins|done)/.test(msg))).toMatchObject([
    { msg: 'recovery begins', gates: 2 },
    { msg: 'recovery done', opened: 2, holders_staged: 2, gates_waiting: 0 },
  ]);
});

test('a coupon that was just created is left to its creator, until the next look', async () => {
  const { id } = await createCoupon(0);
  const recovery = await aRecoveryThatKnows();
  expect((await ledger.coupons.find(id))!.epoch).toBe(1);
  keepDoing(recovery);
  expect(await untilOpen([id], 0)).toEqual([2]);
  await expect.poll(said).toContain('recovery done');
});

test('a partition whose issuer stands still holds up only its own, whose epoch stays the one begun', async () => {
  const [slow, fast] = [await openCoupon(0), await openCoupon(1)];
  const recovery = await aRecoveryThatKnows();
  await here.removeKeys();
  keepDoing(recovery);
  expect(await untilOpen([fast.id], 1)).toEqual([2]);
  expect((await here.gate.inspect(slow.id)).gate).toBe('fenced');
  await expect
    .poll(() => lines.at(-1))
    .toMatchObject({
      msg: 'recovery under way',
      gates_waiting: 1,
      opened: 1,
      waiting_for_issuers: [{ partition: 0, gates: 1 }],
    });
  expect(await untilOpen([slow.id], 0)).toEqual([2]);
  await expect.poll(said).toContain('recovery done');
});

test('a gate that shuts while others are recovered is recovered with them', async () => {
  const [first, second] = [await openCoupon(0), await openCoupon(1)];
  const recovery = await aRecoveryThatKnows();
  await here.breakRunId(first.id);
  keepDoing(recovery);
  await expect.poll(said).toContain('recovery begins');
  await here.breakRunId(second.id);
  expect(await untilOpen([second.id], 1)).toEqual([2]);
  expect((await here.gate.inspect(first.id)).gate).toBe('fenced');
  expect(await untilOpen([first.id], 0)).toEqual([2]);
  await expect.poll(said).toContain('recovery done');
});

test('one whose gate takes no fence holds up no other, and is named', async () => {
  const [broken, sound] = [await openCoupon(0), await openCoupon(0)];
  await here.removeKeys();
  const gate = withStepsBefore(here.gate, async (method, id) => {
    if (method === 'fence' && id === broken.id) {
      throw new Error('no reply to the fence');
    }
  });
  const recovery = await aRecoveryThatKnows(gate);
  keepDoing(recovery);
  expect(await untilOpen([sound.id], 0)).toEqual([2]);
  expect((await here.gate.inspect(broken.id)).gate).not.toBe('open');
  await expect.poll(said).toContain(`recovery of coupon ${broken.id} failed; it is tried again`);
});

test('one that another recovery has overtaken begins again, in an epoch of its own', async () => {
  const { id } = await openCoupon();
  const recovery = await aRecoveryThatKnows();
  await here.removeKeys();
  keepDoing(recovery);
  await expect.poll(async () => (await ledger.coupons.find(id))!.epoch).toBe(2);
  await ledger.coupons.raiseEpochs([id], async () => new Map([[id, 0]]));
  expect(await untilOpen([id], 0)).toEqual([4]);
  await expect.poll(said).toContain('recovery done');
});

test('one that does not hear whether it has opened a gate that is shut begins again, in another epoch', async () => {
  const { id } = await openCoupon();
  await here.removeKeys();
  let isDeaf = true;
  const gate = withStepsBefore(here.gate, async (method) => {
    if (method === 'open' && isDeaf) {
      isDeaf = false;
      throw new Error('no reply');
    }
  });
  const recovery = await aRecoveryThatKnows(gate);
  keepDoing(recovery);
  expect(await untilOpen([id], 0)).toEqual([3]);
  await expect.poll(said).toContain('recovery done');
  expect(said()).toContain(`recovery of coupon ${id} failed; it is tried again`);
});

test('one that loses its claim on the way goes on in the same epoch', async () => {
  const { id } = await openCoupon();
  await here.removeKeys();
  let disturbed = false;
  const gate = withStepsBefore(here.gate, async (method) => {
    if (method === 'open' && !disturbed) {
      disturbed = true;
      await here.gate.claim(id, 2, 'one of its own, late');
    }
  });
  const recovery = await aRecoveryThatKnows(gate);
  keepDoing(recovery);
  expect(await untilOpen([id], 0)).toEqual([2]);
  await expect.poll(said).toContain('recovery done');
});

test('one that is stopped on the way leaves the gate shut, and goes on in the epoch it has begun', async () => {
  const { id } = await openCoupon();
  const recovery = await aRecoveryThatKnows();
  await here.removeKeys();
  const first = keepDoing(recovery);
  await expect.poll(async () => (await here.gate.inspect(id)).minEpoch).toBe(2);
  await first.stop();
  expect(lines.at(-1)!.msg).toBe('recovery ended before all gates were open');
  expect((await here.gate.inspect(id)).gate).toBe('fenced');

  keepDoing(recovery);
  expect(await untilOpen([id], 0)).toEqual([2]);
  await expect.poll(said).toContain('recovery done');
});

test('of two keepers one recovers, and the other waits for its turn', async () => {
  const { id } = await openCoupon();
  const recovery = await aRecoveryThatKnows();
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
  expect(said()).toEqual([]);
});
