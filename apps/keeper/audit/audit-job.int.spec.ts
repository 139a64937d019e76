import { Writable } from 'node:stream';
import { pino } from 'pino';
import { beforeAll, expect, test } from 'vitest';
import { openTestStores } from '../../../test/harness/test-stores.ts';
import { Auditor } from '#audit/auditor.ts';
import { Telemetry } from '#platform/telemetry/telemetry.ts';
import { AuditJob } from './audit-job.ts';

const { ledger, here, log } = openTestStores();
const lines: Record<string, unknown>[] = [];
let auditor: Auditor;
let job: AuditJob;

beforeAll(async () => {
  auditor = new Auditor(ledger.connection, here.gate, log.kafka, log.issuers);
  const write = (line: Buffer, _: string, done: () => void): void => {
    lines.push(JSON.parse(line.toString()) as Record<string, unknown>);
    done();
  };
  const telemetry = new Telemetry('test', false);
  job = new AuditJob(auditor, pino(new Writable({ write })), telemetry);
});

test('says nothing of stores that agree; of others, which coupons and what to run', async () => {
  const [same, drifted, other] = [
    await ledger.createCoupon(),
    await ledger.createCoupon(),
    await ledger.createCoupon(),
  ];
  for (const coupon of [same, drifted, other]) {
    await here.rebuild(coupon, []);
  }
  await job.process();
  expect(lines).toEqual([]);

  for (const { id } of [drifted, other]) {
    await here.raw.hset(here.keys(id).holders, 'ghost', 'nobody knows');
    await here.raw.hincrby(here.keys(id).meta, 'left', -1);
  }
  await job.process();
  const command = `firstcome reconcile --coupon ${drifted.id} --coupon ${other.id}`;
  expect(lines).toMatchObject([{ invariant: 'I5', coupon_ids: [drifted.id, other.id], command }]);
  expect(lines[0]!['msg']).toContain(command);
  expect(await here.gate.inspect(drifted.id)).toMatchObject({ gate: 'open', epoch: 1, holders: 1 });
});
