import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestMetrics } from '../../../test/harness/test-metrics.ts';
import { openTestStores } from '../../../test/harness/stores/test-stores.ts';
import { Auditor } from '#audit/auditor.ts';
import { AuditJob } from './audit-job.ts';

const { ledger, here, log } = openTestStores();
const metrics = new TestMetrics();
const lines: Record<string, unknown>[] = [];
let auditor: Auditor;
let job: AuditJob;

beforeAll(async () => {
  auditor = new Auditor(ledger.connection, here.gate, log.kafka, log.issuers);
  const write = (line: Buffer, _: string, done: () => void): void => {
    lines.push(JSON.parse(line.toString()) as Record<string, unknown>);
    done();
  };
  await metrics.start();
  job = new AuditJob(auditor, pino(new Writable({ write })), metrics.telemetry);
});
afterAll(() => metrics.close());

/** By invariant, what the last check of it has found. */
async function violated(): Promise<Record<string, number>> {
  const samples = Object.entries(await metrics.read('firstcome_invariant_violated'));
  return Object.fromEntries(
    samples.map(([labels, value]) => [/invariant="(\w+)"/.exec(labels)![1]!, value]),
  );
}

test('says nothing of stores that agree; of others, which coupons and what to run', async () => {
  const [same, drifted, other] = [
    await ledger.createCoupon(),
    await ledger.createCoupon(),
    await ledger.createCoupon(),
  ];
  for (const coupon of [same, drifted, other]) {
    await here.rebuild(coupon, []);
  }
  expect(await violated()).toEqual({});
  await job.process();
  expect(lines).toEqual([]);
  expect(await violated()).toEqual({ I4: 0, I5: 0 });

  for (const { id } of [drifted, other]) {
    await here.raw.hset(here.keys(id).holders, 'ghost', 'nobody knows');
    await here.raw.hincrby(here.keys(id).meta, 'left', -1);
  }
  await job.process();
  const command = `firstcome reconcile --coupon ${drifted.id} --coupon ${other.id}`;
  expect(lines).toMatchObject([{ invariant: 'I5', coupon_ids: [drifted.id, other.id], command }]);
  expect(lines[0]!['msg']).toContain(command);
  expect(await violated()).toEqual({ I4: 0, I5: 1 });
  expect(await here.gate.inspect(drifted.id)).toMatchObject({ gate: 'open', epoch: 1, holders: 1 });

  for (const { id } of [drifted, other]) {
    await here.raw.hdel(here.keys(id).holders, 'ghost');
    await here.raw.hincrby(here.keys(id).meta, 'left', 1);
  }
  await job.process();
  expect(lines).toHaveLength(1);
  expect(await violated()).toEqual({ I4: 0, I5: 0 });
});

test('what it has found stays so while the system is busy, for whose rest it waits some seconds', async () => {
  const coupon = await ledger.createCoupon();
  await here.rebuild(coupon, []);
  const { id } = coupon;
  const before = await violated();
  await here.raw.hset(here.keys(id).holders, 'ghost', 'nobody knows');
  await here.raw.hincrby(here.keys(id).meta, 'left', -1);
  await here.take(id, 'ann');
  lines.length = 0;
  await job.process();
  expect(lines).toEqual([]);
  expect(await violated()).toEqual(before);
});
