import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { GateModel } from './gate-model.ts';
import { aCoupon } from './fixtures.ts';
import type { TestGate } from './test-gate.ts';

type GateCommand = fc.AsyncCommand<GateModel, TestGate>;

/** One step of somebody, run against the gate and the model, which must agree on the answer. */
class Step implements GateCommand {
  constructor(
    private readonly label: string,
    private readonly step: (model: GateModel, here: TestGate) => Promise<void>,
    private readonly applies: (model: GateModel) => boolean = () => true,
  ) {}

  check(model: Readonly<GateModel>): boolean {
    return this.applies(model);
  }

  async run(model: GateModel, here: TestGate): Promise<void> {
    await this.step(model, here);
    await expectAgreement(model, here);
  }

  toString(): string {
    return this.label;
  }
}

/** The invariants, and that the gate is what the model says, key by key. */
async function expectAgreement(model: GateModel, here: TestGate): Promise<void> {
  const keys = here.keys(model.couponId);
  const [seen, holders, pending, pendingUsers] = await Promise.all([
    here.gate.inspect(model.couponId),
    here.raw.hgetall(keys.holders),
    here.raw.zrange(keys.pending, 0, -1),
    here.raw.hgetall(keys.pendingUsers),
  ]);
  expect(seen.left + seen.holders).toBe(seen.total);
  expect(seen.left).toBeGreaterThanOrEqual(0);
  expect(new Set(Object.values(holders)).size).toBe(seen.holders);
  expect(Object.values(holders)).toEqual(expect.arrayContaining(pending));
  expect(seen).toMatchObject({
    gate: model.isOpen ? 'open' : 'fenced',
    left: model.left,
    version: model.version,
    epoch: model.epoch,
    minEpoch: model.minEpoch,
  });
  expect(holders).toEqual(Object.fromEntries(model.holders));
  if (model.isOpen) {
    // What was confirmed is never lost, whatever recovery came between.
    expect(holders).toMatchObject(Object.fromEntries(model.ledger));
  }
  expect(pending.toSorted()).toEqual([...model.pending.keys()].sort());
  expect(pendingUsers).toEqual(Object.fromEntries(model.pending));
}

function reserve(userIds: string[]): GateCommand {
  return new Step(`reserve ${userIds.join(' ')}`, async (model, here) => {
    const result = await here.gate.reserve(model.couponId, userIds);
    if (!model.isOpen || result.gate !== 'open') {
      expect(result).toEqual({ gate: 'fenced' });
      expect(model.isOpen).toBe(false);
      return;
    }
    expect(result.epoch).toBe(model.epoch);
    userIds.forEach((userId, i) => {
      const outcome = result.outcomes[i]!;
      const expected = model.expectedOutcome(userId);
      if (expected !== undefined || outcome.kind !== 'reserved') {
        expect(outcome).toEqual(expected);
        return;
      }
      expect(model.given.map(({ issuanceId }) => issuanceId)).not.toContain(outcome.issuanceId);
      model.noteReserved(userId, outcome.issuanceId);
    });
  });
}

/** Of everything ever given, `picks` of one epoch: late ones are of one that is over. */
function confirm(picks: number[]): GateCommand {
  return new Step(
    `confirm ${picks.join(' ')}`,
    async (model, here) => {
      const chosen = picks.map((pick) => model.given.at(-1 - (pick % model.given.length))!);
      const { epoch } = chosen[0]!;
      const ids = chosen.filter((one) => one.epoch === epoch).map(({ issuanceId }) => issuanceId);
      const confirmed = await here.gate.confirm(model.couponId, epoch, ids);
      expect(confirmed).toBe(model.isOpen && epoch === model.epoch);
      if (confirmed) {
        model.noteConfirmed(ids);
      }
    },
    (model) => model.given.length > 0,
  );
}

/** Of everything ever given, one: given back only while it is held, in the epoch it is of. */
function release(pick: number): GateCommand {
  return new Step(
    `release ${pick}`,
    async (model, here) => {
      const { userId, issuanceId, epoch } = model.given.at(-1 - (pick % model.given.length))!;
      const released = await here.gate.release(model.couponId, epoch, [{ userId, issuanceId }]);
      const isHeld = model.holders.get(userId) === issuanceId && epoch === model.epoch;
      expect(released).toBe(isHeld ? 1 : 0);
      if (isHeld) {
        model.noteReleased(userId);
      }
    },
    (model) => model.given.length > 0,
  );
}

/** `age` 0 is the next version; others are late. */
function change(given: { total?: number; state?: 'open' | 'paused' }, age: number): GateCommand {
  return new Step(`change ${JSON.stringify(given)} age ${age}`, async (model, here) => {
    const { couponId: id, total, state } = model;
    const version = model.version + 1 - age;
    const coupon = aCoupon({ id, total, state, ...given, version });
    const outcome = await here.gate.applyCoupon(coupon);
    if (!model.isOpen) {
      expect(outcome).toEqual({ kind: 'fenced' });
    } else if (age > 0) {
      expect(outcome).toEqual({ kind: 'stale' });
    } else if (coupon.total < model.holders.size) {
      expect(outcome).toEqual({ kind: 'below_holders', holders: model.holders.size });
    } else {
      expect(outcome).toEqual({ kind: 'applied', epoch: model.epoch });
      Object.assign(model, { ...given, version });
    }
  });
}

const changeRun = new Step('another run of Redis', async (model, here) => {
  await here.breakRunId(model.couponId);
  model.isTrusted = false;
});

/** `behind` a recovery that began before and comes late. */
function fence(behind: number): GateCommand {
  return new Step(`fence behind ${behind}`, async (model, here) => {
    const epoch = Math.max(model.minEpoch, model.epoch) + 1 - behind;
    model.minEpoch = Math.max(model.minEpoch, epoch);
    expect(await here.gate.fence(model.couponId, epoch)).toBe(model.minEpoch);
  });
}

/** As in a recovery: its epoch was fenced before, and what it stages is read after its claim. */
const claim = new Step(
  'claim and stage',
  async (model, here) => {
    const token = `token ${model.recoveries.length}`;
    const runId = await here.gate.claim(model.couponId, token);
    model.claim = token;
    const staged = new Map(model.ledger);
    model.recoveries.push({ token, epoch: model.minEpoch, runId, staged });
    const slice = [...staged].map(([userId, issuanceId]) => ({ userId, issuanceId }));
    expect(await here.gate.stage(model.couponId, token, slice)).toBe(true);
  },
  (model) => model.minEpoch > model.epoch,
);

/** `pick` 0 is the recovery that claimed last; others come late. */
function open(pick: number): GateCommand {
  return new Step(
    `open ${pick}`,
    async (model, here) => {
      const recovery = model.recoveries.at(-1 - (pick % model.recoveries.length))!;
      const { couponId: id, total, version, state } = model;
      const coupon = aCoupon({ id, total, version, state, epoch: recovery.epoch });
      const mayOpen =
        model.claim === recovery.token &&
        model.minEpoch <= recovery.epoch &&
        !(model.isTrusted && model.epoch >= recovery.epoch);
      expect(await here.gate.open(coupon, recovery.token, recovery.runId)).toBe(mayOpen);
      if (mayOpen) {
        model.noteOpened(recovery);
      }
    },
    (model) => model.recoveries.length > 0,
  );
}

const user = fc.constantFrom('a', 'A', 'b', 'c', 'd', 'e', '🎟');
const batch = fc.array(user, { minLength: 1, maxLength: 4 }).map(reserve);
const picks = fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 3 });
const age = fc.constantFrom(0, 0, 0, 1, 2);
const state = fc.constantFrom('open' as const, 'open' as const, 'paused' as const);

/** A whole recovery at once: of the others, most are cut short by what comes between. */
const recover: GateCommand[] = [fence(0), claim, open(0)];
const recovery = new Step('recover', async (model, here) => {
  for (const step of recover) {
    await step.run(model, here);
  }
  expect(model.isOpen).toBe(true);
});

/** What anybody may do at any time, and how often. */
const weights: [number, fc.Arbitrary<GateCommand>][] = [
  [8, batch],
  [6, picks.map(confirm)],
  [3, fc.nat({ max: 5 }).map(release)],
  [3, fc.tuple(fc.nat({ max: 8 }), age).map(([total, late]) => change({ total }, late))],
  [2, fc.tuple(state, age).map(([given, late]) => change({ state: given }, late))],
  [1, fc.constant(changeRun)],
  [1, fc.constantFrom(0, 0, 1).map(fence)],
  [2, fc.constant(claim)],
  [3, fc.constantFrom(0, 0, 0, 1).map(open)],
  [2, fc.constant(recovery)],
];

export const gateCommands = weights.flatMap(([weight, command]) =>
  Array.from({ length: weight }, () => command),
);
