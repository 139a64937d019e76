import type { Actor } from '../actors.ts';
import type { Choice } from '../choices.ts';
import { addFault, look, nothing, orCrash, produce, script, step } from '../choices.ts';
import type { Coupon, Issuance } from '../gate/gate.ts';
import type { Claim, ServerHistory } from '../gate/recovery-scripts.ts';
import { claim, fence, open, stage } from '../gate/recovery-scripts.ts';
import { inspect, isOpen, isShut } from '../gate/scripts.ts';
import { findCoupon, raiseEpoch, readHolders } from '../ledger.ts';
import type { World } from '../world.ts';

/** The recovery of one coupon by one keeper. */
export interface Recovery extends Claim {
  kind: 'recovery';
  name: string;
  coupon: number;
  /** How often it may still begin. */
  runs: number;
  at: 'idle' | RecoveryStep;
  ledgerEpoch: number;
  found: Coupon | null;
  /** The last user that was staged. */
  after: string;
  slice: Issuance[];
}

type RecoveryStep =
  | 'inspect'
  | 'raise'
  | 'fence'
  | 'mark'
  | 'wait'
  | 'claim'
  | 'check'
  | 'read'
  | 'stage'
  | 'open'
  | 'look again';

const sliceSize = 2;

export function newRecovery(name: string, runs = 1_000, coupon = 0): Recovery {
  return {
    kind: 'recovery',
    name,
    coupon,
    runs,
    at: 'idle',
    ledgerEpoch: 0,
    epoch: 0,
    token: 0,
    runId: 0,
    history: 0,
    staged: 0,
    found: null,
    after: '',
    slice: [],
  };
}

/** `recovery.ts` */
export function recoveryChoices(world: World, recovery: Recovery): readonly Choice[] {
  const { name, at } = recovery;
  if (at === 'idle') {
    const begins =
      recovery.runs > 0 && isShut(world, recovery.coupon) && !isAnothersTurn(world, recovery);
    return begins ? [step(name, 'read MySQL', () => begin(world, recovery))] : nothing;
  }
  return orCrash(world, name, () => restart(recovery), recoverySteps[at](world, recovery));
}

function begin(world: World, recovery: Recovery): void {
  recovery.runs--;
  recovery.ledgerEpoch = world.mysql.coupons[recovery.coupon]!.epoch;
  recovery.found = findCoupon(world, recovery.coupon);
  recovery.at = 'inspect';
}

/** Two that begin whenever they like may overtake each other for ever, each in a later epoch. */
function isAnothersTurn({ takesTurns, actors }: World, { coupon }: Recovery): boolean {
  const isUnderWay = (actor: Actor): boolean =>
    actor.kind === 'recovery' && actor.coupon === coupon && actor.at !== 'idle';
  return takesTurns && actors.some(isUnderWay);
}

type StepOf = (world: World, recovery: Recovery) => Choice[];

const recoverySteps: Record<RecoveryStep, StepOf> = {
  inspect: (world, recovery) => [
    look(
      recovery.name,
      'inspect the gate',
      () => inspect(world, recovery.coupon),
      ({ gate, epoch, minEpoch }) => {
        const ledgerEpoch = world.mutation === 'epochOfGateOnly' ? 0 : recovery.ledgerEpoch;
        recovery.epoch = Math.max(ledgerEpoch, epoch, minEpoch) + 1;
        goOn(recovery, gate === 'open' ? 'idle' : 'raise');
      },
    ),
  ],
  raise: (world, recovery) => [
    step(recovery.name, `raise MySQL to epoch ${recovery.epoch}`, () => {
      const isRaised = raiseEpoch(world, recovery.coupon, recovery.epoch);
      goOn(recovery, isRaised ? afterRaise(world) : 'idle');
    }),
  ],
  fence: (world, recovery) => {
    const next = afterFence(world);
    const fenced = (least: number): void =>
      goOn(recovery, least === recovery.epoch ? next : 'idle');
    const run = (): number => fence(world, recovery.coupon, recovery.epoch);
    return gateStep(world, recovery, 'fence', run, fenced);
  },
  mark: (world, recovery) => {
    const { name, coupon, epoch } = recovery;
    return produce(world, name, `write marker ${epoch}`, [{ kind: 'marker', coupon, epoch }], {
      acknowledged: () => goOn(recovery, world.mutation === 'markerBeforeFence' ? 'fence' : 'wait'),
      // It is written again: twice means the same as once.
      timedOut: () => {},
    });
  },
  wait: waitChoices,
  claim: (world, recovery) => {
    const claimed = (history: ServerHistory | null): void => {
      Object.assign(recovery, history);
      recovery.after = '';
      recovery.staged = 0;
      const next = world.mutation === 'recheckBeforeClaim' ? 'read' : 'check';
      goOn(recovery, history === null ? 'idle' : next);
    };
    const { name, coupon, epoch } = recovery;
    const run = (): ServerHistory | null => {
      recovery.token = world.next.token++;
      return claimGate(world, coupon, epoch, recovery.token);
    };
    const choices = gateStep(world, recovery, 'claim', run, claimed, 'claim');
    addFault(choices, world, 'lostReplies', name, `claim in epoch ${epoch}, which is late`, () => {
      world.lateClaims.push({ coupon, epoch, token: world.next.token++ });
    });
    return choices;
  },
  check: (world, recovery) => [
    step(recovery.name, `check that MySQL is at ${recovery.epoch}`, () => check(world, recovery)),
  ],
  read: (world, recovery) => [
    step(recovery.name, 'read a slice of the issued', () => {
      recovery.slice = readHolders(world, recovery.coupon, recovery.after, sliceSize);
      goOn(recovery, recovery.slice.length > 0 ? 'stage' : 'open');
    }),
  ],
  stage: (world, recovery) => {
    const run = (): boolean => stage(world, recovery.coupon, recovery.token, recovery.slice);
    const staged = (isStaged: boolean): void => {
      const isLast = recovery.slice.length < sliceSize;
      recovery.after = recovery.slice.at(-1)!.user;
      recovery.staged += recovery.slice.length;
      recovery.slice = [];
      goOn(recovery, isStaged ? (isLast ? 'open' : 'read') : 'claim');
    };
    return gateStep(world, recovery, 'stage', run, staged, 'claim');
  },
  open: (world, recovery) => {
    const run = (): boolean => open(world, recovery.coupon, recovery, recovery.found!);
    const opened = (isOpened: boolean): void => goOn(recovery, isOpened ? 'idle' : 'look again');
    // It may be open now, and what is acknowledged then has no marker behind it: a new epoch.
    const unheard = world.mutation === 'epochKeptAfterOpen' ? 'claim' : 'idle';
    return gateStep(world, recovery, 'open', run, opened, unheard);
  },
  'look again': (world, recovery) => [
    step(recovery.name, 'read the coupon again', () => {
      const { version } = recovery.found!;
      recovery.found = findCoupon(world, recovery.coupon);
      goOn(recovery, recovery.found.version > version ? 'open' : 'idle');
    }),
  ],
};

/** claim.lua, whose caller may be long over. */
export function claimGate(world: World, coupon: number, epoch: number, token: number) {
  const wasOpen = isOpen(world, coupon);
  const runId = claim(world, coupon, epoch, token);
  if (wasOpen && runId !== null) {
    world.broken = 'Open: a recovery that is over has shut an open gate';
  }
  return runId;
}

/** The look at MySQL's epoch is also the look at the coupon that the gate will open with. */
function check(world: World, recovery: Recovery): void {
  if (world.mutation !== 'earlyCouponAtOpen') {
    recovery.found = findCoupon(world, recovery.coupon);
  }
  const next = world.mutation === 'recheckBeforeClaim' ? 'claim' : 'read';
  const { epoch } = world.mysql.coupons[recovery.coupon]!;
  goOn(recovery, epoch === recovery.epoch || world.mutation === 'noCheck' ? next : 'idle');
}

/**
 * For the issuer. Whoever waits for long writes the marker again, of the same epoch: it may never have
 * reached the log; and behind a busy partition, that of a new epoch would have the whole log before it.
 */
function waitChoices(world: World, recovery: Recovery): Choice[] {
  const { name, coupon, epoch } = recovery;
  if (world.mysql.coupons[coupon]!.appliedEpoch >= epoch) {
    const seen = (): void => goOn(recovery, afterWait(world));
    return [step(name, `see marker ${epoch} applied`, seen)];
  }
  const choices: Choice[] = [];
  const waitOn = (): void =>
    world.mutation === 'newEpochAtRetry' ? restart(recovery) : goOn(recovery, 'mark');
  addFault(choices, world, 'timeLimits', name, `has waited long for marker ${epoch}`, waitOn);
  return choices;
}

/** A script of Redis; a recovery that does not hear its reply goes on at `unheard`. */
function gateStep<Reply>(
  world: World,
  recovery: Recovery,
  what: string,
  run: () => Reply,
  heard: (reply: Reply) => void,
  unheard: Recovery['at'] = 'idle',
): Choice[] {
  const label = `${what} in epoch ${recovery.epoch}`;
  return script(world, recovery.name, label, run, heard, () => goOn(recovery, unheard));
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
  Object.assign(recovery, newRecovery(recovery.name, recovery.runs, recovery.coupon));
}
