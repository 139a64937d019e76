import type { Choice } from './choices.ts';
import { nothing, orCrash, produce, script, step } from './choices.ts';
import type { Claim } from './gate.ts';
import { claim, fence, isOpen, open, stage } from './gate.ts';
import { findCoupon, raiseEpoch, readHolders } from './ledger.ts';
import type { Coupon, Issuance, World } from './world.ts';

/** The recovery loop of one keeper. */
export interface Recovery extends Claim {
  kind: 'recovery';
  name: string;
  /** How often it may still begin. */
  runs: number;
  at: 'idle' | RecoveryStep;
  ledgerEpoch: number;
  coupon: Coupon | null;
  /** The last user that was staged. */
  after: string;
  slice: Issuance[];
}

type RecoveryStep =
  'inspect' | 'raise' | 'fence' | 'mark' | 'wait' | 'claim' | 'check' | 'read' | 'stage' | 'open';

const sliceSize = 2;

export function newRecovery(name: string, runs = 1_000): Recovery {
  return {
    kind: 'recovery',
    name,
    runs,
    at: 'idle',
    ledgerEpoch: 0,
    epoch: 0,
    token: 0,
    runId: 0,
    coupon: null,
    after: '',
    slice: [],
  };
}

/** `recovery.ts` */
export function recoveryChoices(world: World, recovery: Recovery): readonly Choice[] {
  const { name, at } = recovery;
  if (at === 'idle') {
    const begins = recovery.runs > 0 && !isOpen(world) && !isAnothersTurn(world);
    return begins ? [step(name, 'read MySQL', () => begin(world, recovery))] : nothing;
  }
  return orCrash(world, name, () => restart(recovery), recoverySteps[at](world, recovery));
}

function begin(world: World, recovery: Recovery): void {
  recovery.runs--;
  recovery.ledgerEpoch = world.mysql.epoch;
  recovery.coupon = findCoupon(world);
  recovery.at = 'inspect';
}

/** Two that begin whenever they like may overtake each other for ever, each in a later epoch. */
function isAnothersTurn({ takesTurns, actors }: World): boolean {
  return takesTurns && actors.some((actor) => actor.kind === 'recovery' && actor.at !== 'idle');
}

type StepOf = (world: World, recovery: Recovery) => Choice[];

const recoverySteps: Record<RecoveryStep, StepOf> = {
  inspect: (world, recovery) => [
    step(recovery.name, 'inspect the gate', () => {
      const { epoch = 0, minEpoch = 0 } = world.redis.meta ?? {};
      recovery.epoch = Math.max(recovery.ledgerEpoch, epoch, minEpoch) + 1;
      goOn(recovery, isOpen(world) ? 'idle' : 'raise');
    }),
  ],
  raise: (world, recovery) => [
    step(recovery.name, `raise MySQL to epoch ${recovery.epoch}`, () => {
      goOn(recovery, raiseEpoch(world, recovery.epoch) ? afterRaise(world) : 'idle');
    }),
  ],
  fence: (world, recovery) => {
    const next = afterFence(world);
    const fenced = (least: number): void =>
      goOn(recovery, least === recovery.epoch ? next : 'idle');
    return gateStep(world, recovery, 'fence', () => fence(world, recovery.epoch), fenced);
  },
  mark: (world, recovery) => {
    const { name, epoch } = recovery;
    return produce(world, name, `write marker ${epoch}`, [{ kind: 'marker', epoch }], {
      acknowledged: () => goOn(recovery, world.mutation === 'markerBeforeFence' ? 'fence' : 'wait'),
      timedOut: () => restart(recovery),
    });
  },
  wait: (world, recovery) =>
    world.mysql.appliedEpoch < recovery.epoch
      ? []
      : [
          step(recovery.name, `see marker ${recovery.epoch} applied`, () =>
            goOn(recovery, afterWait(world)),
          ),
        ],
  claim: (world, recovery) => {
    const claimed = (runId: number): void => {
      recovery.runId = runId;
      goOn(recovery, world.mutation === 'recheckBeforeClaim' ? 'read' : 'check');
    };
    const run = (): number => {
      recovery.token = world.next.token++;
      return claim(world, recovery.token);
    };
    return gateStep(world, recovery, 'claim', run, claimed);
  },
  check: (world, recovery) => [
    step(recovery.name, `check that MySQL is at ${recovery.epoch}`, () => check(world, recovery)),
  ],
  read: (world, recovery) => [
    step(recovery.name, 'read a slice of the issued', () => {
      recovery.slice = readHolders(world, recovery.after, sliceSize);
      goOn(recovery, recovery.slice.length > 0 ? 'stage' : 'open');
    }),
  ],
  stage: (world, recovery) => {
    const run = (): boolean => stage(world, recovery.token, recovery.slice);
    return gateStep(world, recovery, 'stage', run, (staged) => {
      const isLast = recovery.slice.length < sliceSize;
      recovery.after = recovery.slice.at(-1)!.user;
      recovery.slice = [];
      goOn(recovery, staged ? (isLast ? 'open' : 'read') : 'idle');
    });
  },
  open: (world, recovery) =>
    gateStep(
      world,
      recovery,
      'open',
      () => open(world, recovery, recovery.coupon!),
      () => restart(recovery),
    ),
};

/** The look at MySQL's epoch is also the look at the coupon that the gate will open with. */
function check(world: World, recovery: Recovery): void {
  if (world.mutation !== 'earlyCouponAtOpen') {
    recovery.coupon = findCoupon(world);
  }
  const next = world.mutation === 'recheckBeforeClaim' ? 'claim' : 'read';
  goOn(recovery, world.mysql.epoch === recovery.epoch ? next : 'idle');
}

/** A script of Redis; a recovery that does not hear its reply begins again. */
function gateStep<Reply>(
  world: World,
  recovery: Recovery,
  what: string,
  run: () => Reply,
  heard: (reply: Reply) => void,
): Choice[] {
  const label = `${what} in epoch ${recovery.epoch}`;
  return script(world, recovery.name, label, run, heard, () => restart(recovery));
}

function afterRaise(world: World): RecoveryStep {
  return world.mutation === 'markerBeforeFence' ? 'mark' : 'fence';
}

function afterFence(world: World): RecoveryStep {
  if (world.mutation === 'noMarker') {
    return afterWait(world);
  }
  return world.mutation === 'markerBeforeFence' ? 'wait' : 'mark';
}

function afterWait(world: World): RecoveryStep {
  return world.mutation === 'recheckBeforeClaim' ? 'check' : 'claim';
}

function goOn(recovery: Recovery, next: Recovery['at']): void {
  if (next === 'idle') {
    restart(recovery);
  } else {
    recovery.at = next;
  }
}

function restart(recovery: Recovery): void {
  Object.assign(recovery, newRecovery(recovery.name, recovery.runs));
}
