import * as fc from 'fast-check';
import { expect } from 'vitest';
import { lostKeys, lostMeta } from '../../model/gate/losses.ts';
import type { Loss } from '../../model/gate/losses.ts';
import * as model from '../../model/gate/scripts.ts';
import type { Amid, GateCommand } from './gate-steps.ts';
import {
  archive,
  change,
  changeHistory,
  changeRun,
  claim,
  confirm,
  coupon,
  fence,
  learnEpoch,
  open,
  release,
  reserve,
  stageLate,
  Step,
} from './gate-steps.ts';
import type { RealGate } from './real-gate.ts';

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
async function recover(real: RealGate, between: GateCommand[] = [], amid?: Amid): Promise<void> {
  for (const step of [fence(0), claim(0, amid), ...between, open(0)]) {
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
  [1, fc.constantFrom(changeRun, changeHistory)],
  [1, fc.constantFrom(0, 0, 1).map(learnEpoch)],
  [1, fc.constantFrom(0, 0, 1).map(fence)],
  [2, fc.constantFrom(0, 0, 1).map(claim)],
  [1, fc.constantFrom(0, 0, 1).map(stageLate)],
  [3, fc.constantFrom(0, 0, 0, 1).map((pick) => open(pick))],
  [1, fc.constantFrom(open(0, 'run'), open(0, 'history'), open(0, 'count'))],
  [2, fc.constant(recovery)],
  [1, fc.constantFrom(0, 0, 0, 1).map(archive)],
];

const losing = (loss: Loss): GateCommand => new Step(`lose ${loss}`, (real) => real.lose(loss));

const copying = new Step('keep a copy', (real) => real.keepCopy());
const puttingBack = new Step('put the copy back', (real) => real.putBack());

const recoverPutBack = new Step('recover, and put back a copy made amid it', (real) =>
  recover(real, [puttingBack], () => real.keepCopy()),
);

const recoverLosing = (loss: Loss): GateCommand =>
  new Step(`recover and lose ${loss}`, (real) => recover(real, [losing(loss)]));

/** What another hand does behind the gate's back. */
const meddling: Weighted[] = [
  [3, fc.constantFrom(...lostKeys, ...lostMeta).map(losing)],
  [2, fc.constantFrom<Loss>('holders', 'meta.staged', 'meta.token').map(recoverLosing)],
  [1, fc.constant(copying)],
  [1, fc.constant(puttingBack)],
  [2, fc.constant(recoverPutBack)],
];

function weighted(commands: Weighted[]): fc.Arbitrary<GateCommand>[] {
  return commands.flatMap(([weight, command]) => Array.from({ length: weight }, () => command));
}

export const gateCommands = weighted(steps);
export const gateCommandsWithMeddling = weighted([...steps, ...meddling]);
