import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Admin } from 'kafkajs';
import { Kafka, logLevel } from '#event-log/kafkajs.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Told } from '../../infra/harness/assign.ts';
import { eventually } from '../../infra/local/processes/waiting.ts';
import { SpareBroker, spareBrokerProblem } from '../harness/servers/spare-broker.ts';
import { FaultScenario } from '../harness/stack/fault-scenario.ts';
import { timeoutsBesideKafka } from '../harness/stack/test-stack.ts';

/** Of a batch: where its length stands, what stands before that is counted, and where its records begin. */
const batch = { length: 8, preamble: 12, records: 61 };

let broker: SpareBroker | undefined;
let scenario: FaultScenario;
/** A coupon on the partition that the rush does not use. */
let besideId: number;
let admin: Admin;
let topic: string;
let groupId: string;
/** The first offset behind the damaged batch. */
let next: string;

beforeAll(async () => {
  if (spareBrokerProblem !== undefined) {
    return;
  }
  broker = await SpareBroker.create();
  await broker.server.start();
  scenario = await FaultScenario.start({
    env: { ...timeoutsBesideKafka, KAFKA_BROKERS: broker.direct },
  });
  besideId = await scenario.stack.createCoupon(1_000);
  topic = `${scenario.stack.name}.coupon.issuance.requested`;
  groupId = `${scenario.stack.name}.firstcome-issuer`;
  admin = new Kafka({ brokers: [broker.direct], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
});
beforeEach(({ skip }) => skip(spareBrokerProblem !== undefined, spareBrokerProblem));
afterAll(async () => {
  await admin?.disconnect();
  await scenario?.stop();
  await broker?.remove();
});

async function committed(): Promise<bigint> {
  const [entry] = await admin.fetchOffsets({ groupId, topics: [topic] });
  return BigInt(entry!.partitions.find(({ partition }) => partition === 0)!.offset);
}

/** As a disk would that gives back other bytes than were written. */
function damageFirstBatchFrom(offset: bigint): void {
  const file = join(broker!.server.dataDir, `${topic}-0`, `${'0'.repeat(20)}.log`);
  const log = readFileSync(file);
  let start = 0;
  while (log.readBigInt64BE(start) < offset) {
    start += batch.preamble + log.readInt32BE(start + batch.length);
  }
  const handle = openSync(file, 'r+');
  writeSync(handle, Buffer.alloc(16, 0xff), 0, 16, start + batch.records + 10);
  closeSync(handle);
}

async function startIssuer(): Promise<void> {
  await scenario.stack.startApp('issuer', {}, { waitUntilReady: false });
}

/** What the issuer says to run, with the offset that it names. */
async function untilIssuerSaysHowToGoOn(): Promise<string> {
  return eventually(async () => {
    const { status, text } = (await scenario.stack.app('issuer').readiness())!;
    const command = `--group ${groupId} --topic ${topic}:0 --reset-offsets --to-offset (\\d+) `;
    return status === 503 ? new RegExp(command).exec(text)?.[1] : undefined;
  });
}

/** What still differs of the coupon of the rush. */
async function reconcile(...options: string[]): Promise<string[]> {
  const args = ['reconcile', '--coupon', String(scenario.couponId), '--json', ...options];
  const { stdout } = await scenario.stack.firstcome(...args);
  const { coupons } = JSON.parse(stdout) as {
    coupons: { result: string; differences: string[] }[];
  };
  return coupons[0]!.result === 'repaired' ? [] : coupons[0]!.differences;
}

async function statusOf({ body }: Told): Promise<string> {
  return (await scenario.stack.request(body.status_url)).body.status;
}

// As operations.md says, "When a batch cannot be read"; one test after the other.
describe('a batch of requests that is damaged on the disk of its broker', () => {
  test('its partition stops, in words that say how to go on, the other goes on, and no issuer dies', async () => {
    await scenario.untilIssued();
    await scenario.stack.app('issuer').stop();
    await scenario.untilServed();
    const from = await committed();
    damageFirstBatchFrom(from);
    await startIssuer();

    next = await untilIssuerSaysHowToGoOn();
    expect(BigInt(next)).toBeGreaterThan(from);
    const issuer = scenario.stack.app('issuer');
    expect(issuer.output).toContain(`a batch that begins at offset ${from} cannot be read`);
    expect(issuer.output).toContain('not those that were written (checksum)');
    const beside = await scenario.askUntilFinal('beside', { couponId: besideId });
    await eventually(async () => (await statusOf(beside)) === 'ISSUED');
    expect(await committed()).toBe(from);
    expect(issuer.isRunning).toBe(true);
  });

  test('another issuer stops there as well, until somebody skips it: then all behind it is issued', async () => {
    await scenario.stack.app('issuer').stop();
    await startIssuer();
    next = await untilIssuerSaysHowToGoOn();

    await scenario.stack.app('issuer').stop();
    await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: next }] });
    await scenario.stack.startApp('issuer');
    await scenario.untilServed();
    await scenario.untilIssued();
  });

  test('reconcile names who was acknowledged and is lost, and no other; once applied, stores agree', async () => {
    await scenario.rush.pause();
    const lost = (await reconcile()).map((difference) =>
      /^user "(.+)": the gate has (\S+), MySQL nothing$/.exec(difference)?.slice(1),
    );
    expect(lost).not.toEqual([]);
    const told = scenario.rush.accepted.map(({ userId, body }) => [userId, body.issuance_id]);
    expect(told).toEqual(expect.arrayContaining(lost));
    expect(await reconcile('--apply')).toEqual([]);
  });

  test('verify reads the log again when what stands before that offset is deleted, and all that is left holds', async () => {
    const before = await scenario.stack.firstcome('verify', '--wait', '60');
    expect([before.exitCode, before.stderr]).toEqual([1, expect.stringContaining('checksum')]);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: next }] });
    const after = await scenario.stack.firstcome('verify', '--wait', '60');
    expect(after.exitCode, after.stdout + after.stderr).toBe(0);
  });
});
