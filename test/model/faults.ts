import type { Choice } from './choices.ts';
import { addFault, nothing, step } from './choices.ts';
import { fence } from './gate.ts';
import type { GateData, LogRecord, RedisFault, World } from './world.ts';
import { copyGate } from './world.ts';

/**
 * A produce whose producer has gone on is appended late, or lost. In any order. And someone may write
 * into the log what none of ours would.
 */
export function networkChoices(world: World): readonly Choice[] {
  if (world.inFlight.length === 0 && world.budget.poison === 0) {
    return nothing;
  }
  const choices = world.inFlight.flatMap((record, i) => lateChoices(world, record, i));
  addFault(choices, world, 'poison', 'network', 'append garbage', () => {
    world.log.push({ kind: 'garbage' });
  });
  addFault(choices, world, 'poison', 'network', 'append a request for an unknown coupon', () => {
    const id = world.next.id++;
    const isOfUnknownCoupon = true;
    world.log.push({ kind: 'request', id, user: 'eve', epoch: 1, isOfUnknownCoupon });
  });
  return choices;
}

function lateChoices(world: World, record: LogRecord, i: number): Choice[] {
  const what = record.kind === 'request' ? record.id : record.kind;
  const settle = (): void => {
    world.inFlight.splice(i, 1);
  };
  const append = (): void => {
    settle();
    world.log.push(record);
  };
  return [step('network', `append ${what} late`, append), step('network', `lose ${what}`, settle)];
}

/** What befalls Redis. Crashes, time-outs and lost replies stand with the steps they befall. */
export function redisChoices(world: World): readonly Choice[] {
  if (world.budget.redis === 0) {
    return nothing;
  }
  const choices: Choice[] = [];
  for (const kind of world.redisFaults) {
    addFault(choices, world, 'redis', 'redis', kind, () => redisFaults[kind](world));
  }
  return choices;
}

/** Copies of Redis, which a rollback or a failover goes back to. */
export function copyChoices(world: World): readonly Choice[] {
  if (world.budget.copies === 0) {
    return nothing;
  }
  const choices: Choice[] = [];
  addFault(choices, world, 'copies', 'copies', 'snapshot', () => {
    world.backup = copyGate(world.redis);
  });
  addFault(choices, world, 'copies', 'copies', 'replicate', () => {
    world.replica = copyGate(world.redis);
  });
  return choices;
}

const redisFaults: Record<RedisFault, (world: World) => void> = {
  restart: (world) => becomes(world, world.redis),
  rollback: (world) => becomes(world, world.backup),
  failover: (world) => becomes(world, world.replica),
  // Leaves the run id as it is.
  flush: ({ redis }) => {
    const emptied = { meta: null, holders: [], pending: [], staging: [], watermark: 0 };
    Object.assign(redis, emptied satisfies GateData);
  },
  fence: (world) => void fence(world, (world.redis.meta?.epoch ?? 0) + 1),
};

function becomes(world: World, data: GateData): void {
  world.redis = { ...copyGate(data), runId: world.next.runId++ };
}
