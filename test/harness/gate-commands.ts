import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { ReserveOutcome } from '#gate/gate-replies.ts';
import type { Coupon } from '../model/gate/gate.ts';
import { lostKeys, lostMeta } from '../model/gate/losses.ts';
import type { Loss } from '../model/gate/losses.ts';
import { answerOf } from '../model/gate/prelude.ts';
import * as recoveryModel from '../model/gate/recovery-scripts.ts';
import * as model from '../model/gate/scripts.ts';
import { aCoupon } from './fixtures.ts';
import { expectAgreement, expectInvariants, replyOf } from './gate-agreement.ts';
import type { RealGate } from './real-gate.ts';

type GateCommand = fc.AsyncCommand<RealGate, RealGate>;

const coupon = 0;

/** One step of somebody, run against the gate and its model, which must agree on the answer. */
class Step implements GateCommand {
  constructor(
    private readonly label: string,
    private readonly step: (gate: RealGate) => Promise<void>,
    private readonly applies: (gate: RealGate) => boolean = () => true,
  ) {}

  check(gate: Readonly<RealGate>): boolean {
    return this.applies(gate as RealGate);
  }

  async run(gate: RealGate): Promise<void> {
    await this.step(gate);
    await expectAgreement(gate);
    if (!gate.isMeddledWith) {
      expectInvariants(gate);
    }
  }

  toString(): string {
    return this.label;
  }
}

function reserve(userIds: string[]): GateCommand {
  return new Step(`reserve ${userIds.join(' ')}`, async (real) => {
    const result = await replyOf(real.here.gate.reserve(real.couponId, userIds));
    const expected = answerOf(() => model.reserve(real.model, coupon, userIds));
    if (result?.gate !== 'open' || expected?.gate !== 'open') {
      expect(result).toEqual(expected);
      return;
    }
    const { epoch, outcomes } = expected;
    expect(result).toMatchObject({ epoch, kafkaPartition: 0, opensAt: null });
    expect(result.outcomes).toHaveLength(userIds.length);
    result.outcomes.forEach((outcome, i) => {
      const wanted = outcomes[i]!;
      if (wanted.code === 'reserved' && outcome.kind === 'reserved') {
        real.name(wanted.id, outcome.issuanceId);
        real.given.push({ id: wanted.id, user: userIds[i]!, epoch });
      }
      expect(outcome).toEqual(inWordsOfGate(real, wanted));
    });
  });
}

function inWordsOfGate(real: RealGate, outcome: model.Outcome): ReserveOutcome {
  if (!('id' in outcome)) {
    return { kind: outcome.code };
  }
  const issuanceId = real.issuanceId(outcome.id);
  return outcome.code === 'reserved'
    ? { kind: 'reserved', issuanceId }
    : { kind: 'replayed', issuanceId, pending: outcome.code === 'pending' };
}

const anyGiven = (real: RealGate): boolean => real.given.length > 0;

/** Of everything ever given, `picks` of one epoch: late ones are of one that is over. */
function confirm(picks: number[]): GateCommand {
  const run = async (real: RealGate): Promise<void> => {
    const { here, couponId, given, ledger } = real;
    const chosen = picks.map((pick) => given.at(-1 - (pick % given.length))!);
    const { epoch } = chosen[0]!;
    const ids = chosen.filter((one) => one.epoch === epoch).map(({ id }) => id);
    const unconfirmed = real.gate.pendingUsers.filter(({ id }) => ids.includes(id));
    const issuanceIds = ids.map((id) => real.issuanceId(id));
    const confirmed = await replyOf(here.gate.confirm(couponId, epoch, issuanceIds));
    expect(confirmed).toBe(answerOf(() => model.confirm(real.model, coupon, epoch, ids)));
    if (confirmed === true) {
      unconfirmed.forEach(({ id, user }) => ledger.set(user, id));
    }
  };
  return new Step(`confirm ${picks.join(' ')}`, run, anyGiven);
}

/** Of everything ever given, one: given back only while it is held, in the epoch it is of. */
function release(pick: number): GateCommand {
  const run = async (real: RealGate): Promise<void> => {
    const { here, couponId, given, ledger } = real;
    const { user, id, epoch } = given.at(-1 - (pick % given.length))!;
    const refused = [{ userId: user, issuanceId: real.issuanceId(id) }];
    const released = await replyOf(here.gate.release(couponId, epoch, refused));
    expect(released).toBe(model.release(real.model, coupon, epoch, [{ id, user }]));
    if (released === 1) {
      ledger.delete(user);
    }
  };
  return new Step(`release ${pick}`, run, anyGiven);
}

/** `age` 0 is the next version; others are late. */
function change(given: Partial<Coupon>, age: number): GateCommand {
  return new Step(`change ${JSON.stringify(given)} age ${age}`, async (real) => {
    const { here, couponId: id } = real;
    const terms = { ...real.terms, ...given, version: real.terms.version + 1 - age };
    const outcome = await replyOf(here.gate.applyCoupon(aCoupon({ id, ...terms })));
    const applied = answerOf(() => model.applyCoupon(real.model, coupon, terms));
    const { code: kind, ...rest } = applied ?? { code: undefined };
    expect(outcome).toEqual(applied && { kind, ...rest });
    if (kind === 'applied') {
      real.terms = terms;
    }
  });
}

const changeRun = new Step('another run of Redis', (real) => real.changeRun());

/** `behind` a recovery that began before and comes late. */
function fence(behind: number): GateCommand {
  return new Step(`fence behind ${behind}`, async (real) => {
    const { epoch = 0, minEpoch = 0 } = real.gate.meta ?? {};
    const next = Math.max(minEpoch, epoch) + 1 - behind;
    const least = await replyOf(real.here.gate.fence(real.couponId, next));
    expect(least).toBe(recoveryModel.fence(real.model, coupon, next));
  });
}

/** As in a recovery: its epoch was fenced before, and what it stages is read after its claim. */
const claim = new Step(
  'claim and stage',
  async (real) => {
    const token = real.recoveries.length;
    const runId = await replyOf(real.here.gate.claim(real.couponId, `token ${token}`));
    expect(runId).toBe(real.runId);
    expect(recoveryModel.claim(real.model, coupon, token)).toBe(real.model.redis.runId);
    real.recoveries.push({ token, epoch: real.gate.meta?.minEpoch ?? 0 });
    await stageAll(real, token, 2);
    await stageAll(real, token);
  },
  ({ gate: { meta } }) => (meta?.minEpoch ?? 0) > (meta?.epoch ?? 0),
);

/** What MySQL has, or the first few of it: a slice may come twice. */
async function stageAll(real: RealGate, token: number, most?: number): Promise<void> {
  const slice = [...real.ledger].slice(0, most).map(([user, id]) => ({ user, id }));
  const holders = slice.map(({ user, id }) => ({
    userId: user,
    issuanceId: real.issuanceId(id),
  }));
  const staged = await replyOf(real.here.gate.stage(real.couponId, `token ${token}`, holders));
  expect(staged).toBe(recoveryModel.stage(real.model, coupon, token, slice));
}

const anyRecovery = (real: RealGate): boolean => real.recoveries.length > 0;

/** `pick` 0 is the recovery that claimed last; others come late. */
function stageLate(pick: number): GateCommand {
  const run = async (real: RealGate): Promise<void> => {
    await stageAll(real, real.recoveries.at(-1 - (pick % real.recoveries.length))!.token);
  };
  return new Step(`stage ${pick}`, run, anyRecovery);
}

/** `pick` 0 is the recovery that claimed last; others come late, or from another run of Redis. */
function open(pick: number, runId?: string): GateCommand {
  const run = async (real: RealGate): Promise<void> => {
    const { here, couponId: id, terms } = real;
    const { token, epoch } = real.recoveries.at(-1 - (pick % real.recoveries.length))!;
    const given = aCoupon({ id, ...terms, epoch });
    const claimedRun = runId ?? real.runId;
    const opened = await replyOf(here.gate.open(given, `token ${token}`, claimedRun));
    const claimed = { token, epoch, runId: real.runIdOf(claimedRun) };
    expect(opened).toBe(
      answerOf(() => recoveryModel.open(real.model, coupon, claimed, { ...terms })),
    );
  };
  return new Step(`open ${pick} ${runId ?? ''}`, run, anyRecovery);
}

const user = fc.constantFrom('a', 'A', 'b', 'c', 'd', 'e', '🎟');
const batch = fc.array(user, { minLength: 1, maxLength: 4 }).map(reserve);
const picks = fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 3 });
const age = fc.constantFrom(0, 0, 0, 1, 2);
const state = fc.constantFrom(
  'open' as const,
  'open' as const,
  'paused' as const,
  'closed' as const,
);

/** A whole recovery at once: of the others, most are cut short by what comes between. */
async function recover(real: RealGate, between: GateCommand[] = []): Promise<void> {
  for (const step of [fence(0), claim, ...between, open(0)]) {
    await step.run(real, real);
  }
}

const recovery = new Step('recover', async (real) => {
  await recover(real);
  expect(real.isMeddledWith || model.isOpen(real.model, coupon)).toBe(true);
});

type Weighted = [weight: number, command: fc.Arbitrary<GateCommand>];

/** What anybody may do at any time, and how often. */
const steps: Weighted[] = [
  [8, batch],
  [6, picks.map(confirm)],
  [3, fc.nat({ max: 5 }).map(release)],
  [3, fc.tuple(fc.nat({ max: 8 }), age).map(([total, late]) => change({ total }, late))],
  [2, fc.tuple(state, age).map(([given, late]) => change({ state: given }, late))],
  [1, fc.constant(changeRun)],
  [1, fc.constantFrom(0, 0, 1).map(fence)],
  [2, fc.constant(claim)],
  [1, fc.constantFrom(0, 0, 1).map(stageLate)],
  [3, fc.constantFrom(0, 0, 0, 1).map((pick) => open(pick))],
  [1, fc.constant(open(0, 'other'))],
  [2, fc.constant(recovery)],
];

const losing = (loss: Loss): GateCommand => new Step(`lose ${loss}`, (real) => real.lose(loss));

const recoverLosing = (loss: Loss): GateCommand =>
  new Step(`recover and lose ${loss}`, (real) => recover(real, [losing(loss)]));

/** What another hand does behind the gate's back. */
const meddling: Weighted[] = [
  [3, fc.constantFrom(...lostKeys, ...lostMeta).map(losing)],
  [2, fc.constantFrom<Loss>('staging', 'meta.staged', 'meta.token').map(recoverLosing)],
  [1, fc.constant(new Step('keep a copy', (real) => real.keepCopy()))],
  [1, fc.constant(new Step('put the copy back', (real) => real.putBack()))],
];

function weighted(commands: Weighted[]): fc.Arbitrary<GateCommand>[] {
  return commands.flatMap(([weight, command]) => Array.from({ length: weight }, () => command));
}

export const gateCommands = weighted(steps);
export const gateCommandsWithMeddling = weighted([...steps, ...meddling]);
