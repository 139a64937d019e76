import type { Choice } from '../choices.ts';
import { nothing, orCrash, script, step } from '../choices.ts';
import type { Coupon } from '../gate/gate.ts';
import type { Applied } from '../gate/coupon-scripts.ts';
import { applyCoupon } from '../gate/coupon-scripts.ts';
import { inspect } from '../gate/scripts.ts';
import { changeCoupon, findCoupon, takeVersion } from '../ledger.ts';
import type { World } from '../world.ts';

/** What a manager wants: a total, or a state. */
export type Wish = { total: number } | { state: Coupon['state'] };

/** Someone at the command line who changes the coupon, one wish after the other. */
export interface Manager {
  kind: 'manager';
  name: string;
  coupon: number;
  wishes: Wish[];
  attempts: number;
  at: 'find' | ChangeStep;
  /** The coupon as it was read; what reaches MySQL or the gate is this and the wish. */
  found: Coupon;
  version: number;
  epoch: number;
}

type ChangeStep =
  'inspect' | 'take version' | 'gate first' | 'then ledger' | 'ledger first' | 'read' | 'then gate';

const attemptsMax = 3;

export function newManager(name: string, wishes: Wish[], coupon = 0): Manager {
  const found: Coupon = { version: 0, total: 0, state: 'open' };
  const nowhere = { at: 'find' as const, found, version: 0, epoch: 0 };
  return { kind: 'manager', name, coupon, wishes, attempts: 0, ...nowhere };
}

/** `coupon-administration.ts`: MySQL first, then the gate; but the gate first where the total is lowered. */
export function managerChoices(world: World, manager: Manager): readonly Choice[] {
  const { name, at } = manager;
  if (at === 'find') {
    return manager.wishes.length === 0
      ? nothing
      : [step(name, 'read the coupon', () => find(world, manager))];
  }
  return orCrash(world, name, () => giveUp(manager), changeSteps[at](world, manager));
}

function find(world: World, manager: Manager): void {
  manager.found = findCoupon(world, manager.coupon);
  const wish = manager.wishes[0]!;
  const isFinal = manager.found.state === 'closed' && 'state' in wish && wish.state !== 'closed';
  if (isFinal) {
    giveUp(manager);
  } else {
    manager.at = 'inspect';
  }
}

const changeSteps: Record<ChangeStep, (world: World, manager: Manager) => Choice[]> = {
  inspect: (world, manager) => {
    const run = (): number => inspect(world, manager.coupon).version;
    return gateStep(world, manager, 'inspect the gate', run, (gateVersion) => {
      manager.version = Math.max(manager.found.version, gateVersion) + 1;
      manager.at = afterInspect(world, manager);
    });
  },
  'take version': (world, manager) => {
    const { coupon, found, version } = manager;
    const take = (): void => {
      const isTaken = takeVersion(world, coupon, found.version, version);
      goOn(manager, isTaken ? 'gate first' : 'find');
    };
    return [step(manager.name, `take version ${version}`, take)];
  },
  'gate first': (world, manager) => {
    const lowered = { ...manager.found, ...manager.wishes[0], version: manager.version };
    const run = (): Applied => applyCoupon(world, manager.coupon, lowered);
    return gateStep(world, manager, describe('apply', manager), run, (applied) => {
      if (applied.code === 'applied') {
        manager.epoch = applied.epoch;
        manager.at = 'then ledger';
      } else if (applied.code === 'stale') {
        goOn(manager, 'find');
      } else {
        giveUp(manager);
      }
    });
  },
  'then ledger': (world, manager) => {
    const { found, version, epoch } = manager;
    const asRead = world.mutation === 'noVersionTaken' ? found.version : version;
    const only = world.mutation === 'noEpochAtLower' ? { asRead } : { asRead, inEpoch: epoch };
    const made = (): void => {
      tell(world, manager);
      giveUp(manager);
    };
    return [ledgerStep(world, manager, only, made)];
  },
  'ledger first': (world, manager) => [
    ledgerStep(world, manager, { asRead: manager.found.version }, () => {
      manager.at = 'read';
    }),
  ],
  read: (world, manager) => [
    step(manager.name, 'read the coupon again', () => {
      manager.found = findCoupon(world, manager.coupon);
      manager.at = 'then gate';
    }),
  ],
  'then gate': (world, manager) => {
    const { coupon, found } = manager;
    const done = (): void => {
      tell(world, manager);
      giveUp(manager);
    };
    const what = `apply version ${found.version}`;
    return gateStep(world, manager, what, () => applyCoupon(world, coupon, found), done);
  },
};

/** That the change is made: from here on it must hold. */
function tell({ toldVersions }: World, { coupon, version }: Manager): void {
  toldVersions[coupon] = Math.max(toldVersions[coupon]!, version);
}

/** Only a lower total goes to the gate first, with a version that MySQL has given before. */
function afterInspect({ mutation }: World, { found, wishes }: Manager): ChangeStep {
  const wish = wishes[0]!;
  if (!('total' in wish)) {
    return 'ledger first';
  }
  const isLower = wish.total < found.total;
  const gateFirst = isLower ? mutation !== 'lowerInLedgerFirst' : mutation === 'raiseAtGateFirst';
  if (!gateFirst) {
    return 'ledger first';
  }
  return mutation === 'noVersionTaken' ? 'gate first' : 'take version';
}

function ledgerStep(
  world: World,
  manager: Manager,
  only: { asRead: number; inEpoch?: number },
  made: () => void,
): Choice {
  return step(manager.name, describe('write', manager), () => {
    const change = { ...manager.wishes[0], version: manager.version, ...only };
    const coupon = world.mysql.coupons[manager.coupon]!;
    const wasClosed = coupon.state === 'closed';
    const outcome = changeCoupon(world, manager.coupon, change);
    if (wasClosed && coupon.state !== 'closed') {
      world.broken = 'Final: the coupon was closed and is not any more';
    }
    if (outcome === 'made') {
      made();
    } else if (outcome === 'overtaken') {
      goOn(manager, 'find');
    } else {
      giveUp(manager);
    }
  });
}

function gateStep<Reply>(
  world: World,
  manager: Manager,
  what: string,
  run: () => Reply,
  heard: (reply: Reply) => void,
): Choice[] {
  return script(world, manager.name, what, run, heard, () => giveUp(manager));
}

function describe(does: string, { wishes, version }: Manager): string {
  const wish = wishes[0]!;
  return `${does} version ${version}: ${'total' in wish ? `total ${wish.total}` : wish.state}`;
}

/** Tries again from the beginning when another change, or a recovery, came first. */
function goOn(manager: Manager, next: Manager['at']): void {
  if (next === 'find' && ++manager.attempts === attemptsMax) {
    giveUp(manager);
  } else {
    manager.at = next;
  }
}

/** Ends with this wish, granted or not; a manager who was not granted one may have it again. */
function giveUp(manager: Manager): void {
  Object.assign(manager, newManager(manager.name, manager.wishes.slice(1), manager.coupon));
}
