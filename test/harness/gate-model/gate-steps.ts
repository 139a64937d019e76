import type * as fc from 'fast-check';
import { expect } from 'vitest';
import type { ReserveOutcome } from '#gate/gate-replies.ts';
import type { Coupon } from '../../model/gate/gate.ts';
import * as couponModel from '../../model/gate/coupon-scripts.ts';
import * as modelled from '../../model/gate/prelude.ts';
import * as recoveryModel from '../../model/gate/recovery-scripts.ts';
import * as model from '../../model/gate/scripts.ts';
import { aCoupon } from '../fixtures.ts';
import { expectAgreement, expectInvariants } from './gate-agreement.ts';
import type { RealGate, UnderWay } from './real-gate.ts';

export type GateCommand = fc.AsyncCommand<RealGate, RealGate>;
export type Amid = (real: RealGate) => Promise<void>;

export const coupon = 0;

/** One step of somebody, run against the gate and its model, which must agree on the answer. */
export class Step implements GateCommand {
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

export function reserve(userIds: string[]): GateCommand {
  return new Step(`reserve ${userIds.join(' ')}`, async (real) => {
    const result = await real.here.gate.reserve(real.couponId, userIds);
    const expected = model.reserve(real.model, coupon, userIds);
    if (result.gate !== 'open' || expected.gate !== 'open') {
      expect(result).toEqual(expected);
      return;
    }
    const { epoch, serial, outcomes } = expected;
    modelled.learn(real.model, coupon, expected);
    expect(result).toMatchObject({ epoch, serial, kafkaPartition: 0, opensAt: null });
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
export function confirm(picks: number[]): GateCommand {
  const run = async (real: RealGate): Promise<void> => {
    const { here, couponId, given, ledger } = real;
    const chosen = picks.map((pick) => given.at(-1 - (pick % given.length))!);
    const { epoch } = chosen[0]!;
    const reserved = chosen.filter((one) => one.epoch === epoch);
    const ids = reserved.map(({ id }) => id);
    const unconfirmed = real.gate.pendingUsers.filter(({ id }) => ids.includes(id));
    const inWords = reserved.map(({ id, user: userId }) => ({
      userId,
      issuanceId: real.issuanceId(id),
    }));
    const confirmed = await here.gate.confirm(couponId, epoch, inWords);
    const expected = model.confirm(real.model, coupon, epoch, reserved);
    modelled.learn(real.model, coupon, expected);
    expect(confirmed).toBe(expected.isConfirmed);
    // It is in the log, whether or not others in the batch could be vouched for.
    const stillPending = real.gate.pending;
    unconfirmed
      .filter(({ id }) => !stillPending.includes(id))
      .forEach(({ id, user }) => ledger.set(user, id));
  };
  return new Step(`confirm ${picks.join(' ')}`, run, anyGiven);
}

/** Of everything ever given, one: given back only while it is held, in the epoch it is of. */
export function release(pick: number): GateCommand {
  const run = async (real: RealGate): Promise<void> => {
    const { here, couponId, given, ledger } = real;
    const { user, id, epoch } = given.at(-1 - (pick % given.length))!;
    const refused = [{ userId: user, issuanceId: real.issuanceId(id) }];
    const released = await here.gate.release(couponId, epoch, refused);
    expect(released).toBe(model.release(real.model, coupon, epoch, [{ id, user }]));
    if (released === 1) {
      ledger.delete(user);
    }
  };
  return new Step(`release ${pick}`, run, anyGiven);
}

/** `age` 0 is the next version; others are late. */
export function change(given: Partial<Coupon>, age: number): GateCommand {
  return new Step(`change ${JSON.stringify(given)} age ${age}`, async (real) => {
    const { here, couponId: id } = real;
    const terms = { ...real.terms, ...given, version: real.terms.version + 1 - age };
    const outcome = await here.gate.applyCoupon(aCoupon({ id, ...terms }));
    const { code: kind, ...rest } = couponModel.applyCoupon(real.model, coupon, terms);
    expect(outcome).toEqual({ kind, ...rest });
    if (outcome.kind === 'applied') {
      modelled.learn(real.model, coupon, outcome);
      real.terms = terms;
    }
  });
}

export const changeRun = new Step('another run of Redis', (real) => real.changeRun());
export const changeHistory = new Step('another history of Redis', (real) => real.changeHistory());

/** `ahead` of the gate: a recovery has begun, and the gate does not know yet. */
export function learnEpoch(ahead: number): GateCommand {
  return new Step(`learn of an epoch ${ahead} ahead`, (real) => {
    const { epoch } = real.model.seen[coupon]!;
    const latest = Math.max(epoch, real.gate.meta?.epoch ?? 0) + ahead;
    real.here.gate.learnEpoch(real.couponId, latest);
    modelled.learnEpoch(real.model, coupon, latest);
    return Promise.resolve();
  });
}

/** `behind` a recovery that began before and comes late. */
export function fence(behind: number): GateCommand {
  return new Step(`fence behind ${behind}`, async (real) => {
    const { epoch = 0, minEpoch = 0 } = real.gate.meta ?? {};
    const next = Math.max(minEpoch, epoch, real.model.seen[coupon]!.epoch) + 1 - behind;
    const least = await real.here.gate.fence(real.couponId, next);
    expect(least).toBe(recoveryModel.fence(real.model, coupon, next));
  });
}

/**
 * As in a recovery: what it stages is read after its claim. `behind` one that comes late. `amid`: what
 * another hand does between two slices.
 */
export function claim(behind: number, amid?: Amid): GateCommand {
  return new Step(`claim and stage behind ${behind}`, async (real) => {
    const token = real.recoveries.length;
    const epoch = (real.gate.meta?.minEpoch ?? 0) - behind;
    const history = await real.here.gate.claim(real.couponId, epoch, `token ${token}`);
    const claimed = recoveryModel.claim(real.model, coupon, epoch, token);
    expect(history).toBe(claimed === null ? undefined : real.history);
    const recovery = { token, epoch, staged: new Set<string>() };
    real.recoveries.push(recovery);
    await stageAll(real, recovery, 2);
    await amid?.(real);
    await stageAll(real, recovery);
  });
}

/** What MySQL has, or the first few of it: a slice may come twice. */
async function stageAll(real: RealGate, recovery: UnderWay, most?: number): Promise<void> {
  const { token } = recovery;
  const slice = [...real.ledger].slice(0, most).map(([user, id]) => ({ user, id }));
  const holders = slice.map(({ user, id }) => ({
    userId: user,
    issuanceId: real.issuanceId(id),
  }));
  const staged = await real.here.gate.stage(real.couponId, `token ${token}`, holders);
  expect(staged).toBe(recoveryModel.stage(real.model, coupon, token, slice));
  if (staged) {
    slice.forEach(({ user }) => recovery.staged.add(user));
  }
}

/** `behind` a recovery that has begun since. */
export function archive(behind: number): GateCommand {
  return new Step(`archive behind ${behind}`, async (real) => {
    const { epoch = 0, minEpoch = 0 } = real.gate.meta ?? {};
    const known = Math.max(minEpoch, epoch) - behind;
    const isGone = await real.here.gate.archive(real.couponId, known);
    expect(isGone).toBe(couponModel.archive(real.model, coupon, known));
  });
}

const anyRecovery = (real: RealGate): boolean => real.recoveries.length > 0;

/** `pick` 0 is the recovery that claimed last; others come late. */
export function stageLate(pick: number): GateCommand {
  const run = async (real: RealGate): Promise<void> => {
    await stageAll(real, real.recoveries.at(-1 - (pick % real.recoveries.length))!);
  };
  return new Step(`stage ${pick}`, run, anyRecovery);
}

/**
 * `pick` 0 is the recovery that claimed last; others come late, from another run of Redis, or have
 * staged more than is there.
 */
export function open(pick: number, other?: 'run' | 'history' | 'count'): GateCommand {
  const run = async (real: RealGate): Promise<void> => {
    const { here, couponId: id, terms } = real;
    const recovery = real.recoveries.at(-1 - (pick % real.recoveries.length))!;
    const { token, epoch } = recovery;
    const staged = recovery.staged.size + (other === 'count' ? 1 : 0);
    const given = aCoupon({ id, ...terms, epoch });
    const [runId, replid] = real.history.split(':');
    const claimed = `${other === 'run' ? 'other' : runId}:${other === 'history' ? 'other' : replid}`;
    const opened = await here.gate.open(given, `token ${token}`, claimed, staged);
    const claimedAs = {
      token,
      epoch,
      runId: other === 'run' ? 0 : 1,
      history: other === 'history' ? 0 : 1,
      staged,
    };
    expect(opened).toBe(recoveryModel.open(real.model, coupon, claimedAs, { ...terms }));
    if (opened) {
      modelled.learn(real.model, coupon, { epoch, serial: 0 });
    }
  };
  return new Step(`open ${pick} ${other ?? ''}`, run, anyRecovery);
}
