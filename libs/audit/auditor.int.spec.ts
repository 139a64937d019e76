import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { anIssuanceId, userIds } from '../../test/harness/fixtures.ts';
import { TestGate } from '../../test/harness/stores/test-gate.ts';
import { TestLedger } from '../../test/harness/stores/test-ledger.ts';
import { TestLog } from '../../test/harness/stores/test-log.ts';
import type { Coupon } from '#coupon/coupon.ts';
import { Gate } from '#gate/gate.ts';
import { Auditor } from './auditor.ts';
import type { Finding } from './finding.ts';

let ledger: TestLedger;
let here: TestGate;
let log: TestLog;
let directory: string;
let coupon: Coupon;
let auditor: Auditor;

beforeEach(async () => {
  ledger = new TestLedger();
  here = new TestGate();
  log = new TestLog();
  await Promise.all([ledger.start(), here.start(), log.start()]);
  directory = await mkdtemp(join(tmpdir(), 'firstcome-audit-'));
  coupon = await ledger.createCoupon({ total: 5 });
  await here.rebuild(coupon, []);
  auditor = new Auditor(ledger.connection, here.gate, log.kafka, log.issuers);
});
afterEach(async () => {
  await Promise.all([ledger.close(), here.close(), log.close()]);
  await rm(directory, { recursive: true });
});

/** The way of requests from the gate to MySQL, with those steps left out that are. */
async function issueTo(
  users: string[],
  leftOut: ('confirm' | 'decide' | 'commit')[] = [],
): Promise<Map<string, string>> {
  const outcomes = await here.outcomes(coupon.id, ...users);
  const reservations = outcomes.flatMap((outcome, i) =>
    outcome.kind === 'reserved'
      ? {
          ...coupon,
          couponId: coupon.id,
          userId: users[i]!,
          issuanceId: outcome.issuanceId,
          reservedAt: 0,
        }
      : [],
  );
  await log.log.publishRequests(reservations);
  if (!leftOut.includes('confirm')) {
    await here.gate.confirm(coupon.id, coupon.epoch, reservations);
  }
  if (!leftOut.includes('decide')) {
    await ledger.issuances.decideChunk(reservations);
  }
  if (!leftOut.includes('commit')) {
    await log.commitAll();
  }
  return new Map(reservations.map(({ userId, issuanceId }) => [userId, issuanceId]));
}

async function writeJournal(answers: Map<string, string>): Promise<string> {
  const file = join(directory, 'answers.ndjson');
  const lines = [...answers].map(([user_id, issuance_id]) =>
    JSON.stringify({ http_status: 200, issuance_id, coupon_id: coupon.id, user_id }),
  );
  await writeFile(file, lines.join('\n'));
  return file;
}

async function audit(options: { journal?: string; restTimeoutMs?: number } = {}): Promise<{
  violated: string[];
  skipped: Record<string, string>;
  checked: number[];
}> {
  const findings: Finding[] = [];
  for await (const finding of auditor.check({ restTimeoutMs: 0, ...options })) {
    findings.push(finding);
  }
  expect(findings.map(({ invariant }) => invariant)).toEqual([
    'I1',
    'I2',
    'I3',
    'I4',
    'I5',
    'I6',
    'I7',
    'I8',
  ]);
  return {
    violated: findings.filter(isViolated).map(({ invariant }) => invariant),
    skipped: Object.fromEntries(
      findings.flatMap(({ invariant, skipped }) => (skipped ? [[invariant, skipped]] : [])),
    ),
    checked: findings.map(({ checked }) => checked),
  };
}

function isViolated({ violations }: Finding): boolean {
  return violations.length > 0;
}

test('a clean system passes: every invariant is checked, and holds', async () => {
  const journal = await writeJournal(await issueTo(userIds(6)));
  expect(await audit({ journal })).toEqual({
    violated: [],
    skipped: {},
    checked: [1, 5, 5, 1, 5, 5, 5, 0],
  });
});

test('a system that has issued nothing yet passes', async () => {
  expect(await audit()).toMatchObject({ violated: [], skipped: { I3: 'no --journal was given' } });
});

test('every invariant is found violated that is', async () => {
  const answers = await issueTo(['ann', 'bob']);
  const journal = await writeJournal(answers.set('eve', anIssuanceId()));
  await ledger.query('UPDATE coupon SET issued = 1');
  await ledger.query('ALTER TABLE issuance DROP INDEX coupon_user');
  await ledger.query('UPDATE issuance SET user_id = ?', [Buffer.from('ann')]);
  const { violated, skipped } = await audit({ journal });
  expect(violated).toEqual(['I1', 'I2', 'I3', 'I5', 'I6']);
  expect(skipped).toEqual({});
});

test('stock that drifted is found, and what needs an open gate is skipped, and says why', async () => {
  await issueTo(['ann', 'bob']);
  await here.raw.hincrby(here.keys(coupon.id).meta, 'left', 1);
  const why = `not at rest: the gate of coupon ${coupon.id} is not open`;
  const { violated, skipped } = await audit();
  expect(violated).toEqual(['I4']);
  expect(skipped).toMatchObject({ I5: why, I6: why });
});

test('while reservations are pending, what needs rest is skipped, and says why', async () => {
  await issueTo(['ann', 'bob'], ['confirm']);
  const why = `not at rest: coupon ${coupon.id} has 2 reservations pending`;
  const { violated, skipped } = await audit();
  expect(violated).toEqual([]);
  expect(skipped).toMatchObject({ I5: why, I6: why });
});

test('while the issuers are behind, what needs rest is skipped, and says why', async () => {
  await issueTo(['ann', 'bob'], ['decide', 'commit']);
  const why = 'not at rest: the issuers are 2 records behind';
  const { violated, skipped } = await audit();
  expect(violated).toEqual([]);
  expect(skipped).toMatchObject({ I5: why, I6: why });
});

test('the rest is checked all the same while there is no rest', async () => {
  await issueTo(['ann'], ['confirm']);
  await ledger.query('UPDATE coupon SET issued = 0');
  expect((await audit()).violated).toEqual(['I1']);
});

test('waits for rest as long as it is told to', async () => {
  const answers = await issueTo(['ann'], ['confirm']);
  const [result] = await Promise.all([
    audit({ restTimeoutMs: 20_000 }),
    here.gate.confirm(
      coupon.id,
      coupon.epoch,
      [...answers].map(([userId, issuanceId]) => ({ userId, issuanceId })),
    ),
  ]);
  expect(result).toMatchObject({ violated: [], checked: [1, 1, 0, 1, 1, 1, 0, 0] });
});

test('does not call a violation what requests that come in during the check explain', async () => {
  await issueTo(['ann']);
  const busy = new BusyGate(here.connection, here.prefix);
  const busyAuditor = new Auditor(ledger.connection, busy, log.kafka, log.issuers);
  const findings: Finding[] = [];
  for await (const finding of busyAuditor.check({ restTimeoutMs: 0 })) {
    findings.push(finding);
    busy.isBusy = finding.invariant === 'I4';
  }
  expect(findings.filter(isViolated)).toEqual([]);
  expect(findings[4]?.skipped).toBe('not at rest: requests came in during the check');
});

test('does not call a violation what issuers have still to decide, though there was rest a moment before', async () => {
  await issueTo(['ann']);
  const late = new LateGate(here.connection, here.prefix);
  const lateAuditor = new Auditor(ledger.connection, late, log.kafka, log.issuers);
  const findings: Finding[] = [];
  for await (const finding of lateAuditor.glance({ restTimeoutMs: 0 })) {
    findings.push(finding);
  }
  expect(late.looks).toBeGreaterThan(3);
  expect(findings.filter(isViolated)).toEqual([]);
});

/** After the looks at its stock and for rest, requests come that are confirmed, and not yet decided. */
class LateGate extends Gate {
  looks = 0;

  override async inspect(couponId: number): ReturnType<Gate['inspect']> {
    this.looks += 1;
    if (this.looks === 3) {
      await issueTo(['bob', 'eve'], ['decide', 'commit']);
    }
    return super.inspect(couponId);
  }
}

/** While it is busy, somebody new reserves a unit just before anybody looks who holds one. */
class BusyGate extends Gate {
  isBusy = false;

  override async heldBy(couponId: number, users: string[]): Promise<(string | null)[]> {
    if (this.isBusy) {
      await this.reserve(couponId, ['somebody new']);
    }
    return super.heldBy(couponId, users);
  }
}

describe('a glance', () => {
  async function glance(): Promise<Finding[]> {
    const findings: Finding[] = [];
    for await (const finding of auditor.glance({ restTimeoutMs: 0 })) {
      findings.push(finding);
    }
    return findings;
  }

  test('at a clean system checks I4 and the counts of I5, and they hold', async () => {
    await issueTo(userIds(6));
    expect(await glance()).toEqual([
      { invariant: 'I4', violations: [], checked: 1 },
      { invariant: 'I5', violations: [], checked: 1 },
    ]);
  });

  test('sees that the gate holds another number than MySQL has issued', async () => {
    await issueTo(['ann', 'bob']);
    await ledger.query('UPDATE coupon SET issued = 1');
    expect((await glance()).flatMap(({ violations }) => violations)).toEqual([
      `coupon ${coupon.id}: the gate holds 2, MySQL has issued 1`,
    ]);
  });

  test('sees drifted stock although the gate shuts itself because of it', async () => {
    await here.raw.hincrby(here.keys(coupon.id).meta, 'left', 1);
    expect((await glance()).flatMap(({ violations }) => violations)).toEqual([
      expect.stringMatching(/left \+ 0 held is not/),
    ]);
  });

  test('takes a system that is busy or recovering for no violation', async () => {
    const stockHolds = [{ invariant: 'I4', violations: [], checked: 1 }];
    await issueTo(['ann'], ['decide', 'commit']);
    expect(await glance()).toEqual(stockHolds);
    await log.commitAll();
    await here.gate.fence(coupon.id, 2);
    expect(await glance()).toEqual(stockHolds);
  });
});
