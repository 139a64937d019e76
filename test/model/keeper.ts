import type { Choice } from './choices.js';
import { fault, produce, script, step } from './choices.js';
import {
  claim,
  confirm,
  fence,
  isOpen,
  listPending,
  open,
  raiseEpoch,
  readHolders,
  stage,
} from './protocol.js';
import type { Recovery, RecoveryStep, Relay, World } from './world.js';

const sliceSize = 2;

export function newRelay(name: string): Relay {
  return { kind: 'relay', name, at: 'idle', batch: [] };
}

export function newRecovery(name: string, runs = 1_000): Recovery {
  const nothing = { ledgerEpoch: 0, epoch: 0, token: 0, runId: 0, after: '', slice: [] };
  return { kind: 'recovery', name, runs, at: 'idle', ...nothing };
}

/** `relay.ts`: publishes and confirms what is pending, of any age. */
export function relayChoices(world: World, relay: Relay): Choice[] {
  const { name, batch } = relay;
  const ids = batch.map(({ id }) => id);
  const rest = (): void => {
    Object.assign(relay, newRelay(name));
  };
  if (relay.at === 'idle') {
    const pending = listPending(world);
    const list = (): void => {
      relay.batch = pending;
      relay.at = 'publish';
    };
    return pending.length === 0 ? [] : [step(name, 'list pending', list)];
  }
  const crash = fault(world, 'crashes', name, 'crashes', rest);
  if (relay.at === 'publish') {
    const acknowledged = (): void => {
      relay.at = 'confirm';
    };
    const what = `publish ${ids.join(' ')}`;
    return [...crash, ...produce(world, name, what, batch, { acknowledged, timedOut: rest })];
  }
  const run = (): boolean => confirm(world, batch[0]!.epoch, ids);
  return [...crash, ...script(world, name, `confirm ${ids.join(' ')}`, run, rest, rest)];
}

/** `recovery.ts` */
export function recoveryChoices(world: World, recovery: Recovery): Choice[] {
  const { name, at } = recovery;
  if (at === 'idle') {
    const readLedger = (): void => {
      recovery.runs--;
      recovery.ledgerEpoch = world.mysql.epoch;
      recovery.at = 'inspect';
    };
    const begins = recovery.runs > 0 && !isOpen(world) && !isAnothersTurn(world);
    return begins ? [step(name, 'read the epoch of MySQL', readLedger)] : [];
  }
  return [
    ...recoverySteps[at](world, recovery),
    ...fault(world, 'crashes', name, 'crashes', () => restart(recovery)),
  ];
}

/** Two that begin whenever they like may overtake each other for ever, each in a later epoch. */
function isAnothersTurn({ takesTurns, actors }: World): boolean {
  return takesTurns && actors.some((actor) => actor.kind === 'recovery' && actor.at !== 'idle');
}

type StepOf = (world: World, recovery: Recovery) => Choice[];

const recoverySteps: Record<Exclude<RecoveryStep, 'idle'>, StepOf> = {
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
    step(recovery.name, `check that MySQL is at ${recovery.epoch}`, () => {
      const next = world.mutation === 'recheckBeforeClaim' ? 'claim' : 'read';
      goOn(recovery, world.mysql.epoch === recovery.epoch ? next : 'idle');
    }),
  ],
  read: (world, recovery) => [
    step(recovery.name, 'read a slice of the issued', () => {
      recovery.slice = readHolders(world, recovery.after, sliceSize);
      goOn(recovery, recovery.slice.length > 0 ? 'stage' : 'open');
    }),
  ],
  stage: (world, recovery) => {
    const run = (): boolean => stage(world, recovery.token, Object.fromEntries(recovery.slice));
    return gateStep(world, recovery, 'stage', run, (staged) => {
      const isLast = recovery.slice.length < sliceSize;
      recovery.after = recovery.slice.at(-1)![0];
      recovery.slice = [];
      goOn(recovery, staged ? (isLast ? 'open' : 'read') : 'idle');
    });
  },
  open: (world, recovery) =>
    gateStep(
      world,
      recovery,
      'open',
      () => open(world, recovery),
      () => restart(recovery),
    ),
};

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

function goOn(recovery: Recovery, next: RecoveryStep): void {
  if (next === 'idle') {
    restart(recovery);
  } else {
    recovery.at = next;
  }
}

function restart(recovery: Recovery): void {
  Object.assign(recovery, newRecovery(recovery.name, recovery.runs));
}
