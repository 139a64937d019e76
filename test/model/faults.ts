import type { Choice } from './choices.js';
import { fault, step } from './choices.js';
import { copyGate, fence } from './protocol.js';
import type { GateData, RedisFault, World } from './world.js';

/** A produce whose producer has gone on is appended late, or lost. In any order. */
export function networkChoices(world: World): Choice[] {
  return world.inFlight.flatMap((record, i) => {
    const what = record.kind === 'marker' ? `marker ${record.epoch}` : record.id;
    const settle = (): void => {
      world.inFlight.splice(i, 1);
    };
    const append = (): void => {
      settle();
      world.log.push(record);
    };
    return [
      step('network', `append ${what} late`, append),
      step('network', `lose ${what}`, settle),
    ];
  });
}

/** What befalls Redis. Crashes, time-outs and lost replies stand with the steps they befall. */
export function faultChoices(world: World): Choice[] {
  const copy = (of: 'backup' | 'replica') => (): void => {
    world[of] = copyGate(world.redis);
  };
  return [
    ...world.redisFaults.flatMap((kind) =>
      fault(world, 'redis', 'redis', kind, () => redisFaults[kind](world)),
    ),
    ...fault(world, 'copies', 'copies', 'snapshot', copy('backup')),
    ...fault(world, 'copies', 'copies', 'replicate', copy('replica')),
  ];
}

const redisFaults: Record<RedisFault, (world: World) => void> = {
  restart: (world) => becomes(world, world.redis),
  rollback: (world) => becomes(world, world.backup),
  failover: (world) => becomes(world, world.replica),
  // Leaves the run id as it is.
  flush: ({ redis }) =>
    Object.assign(redis, { meta: null, holders: {}, pending: {}, staging: {} } satisfies GateData),
  fence: (world) => void fence(world, (world.redis.meta?.epoch ?? 0) + 1),
};

function becomes(world: World, data: GateData): void {
  world.redis = { ...copyGate(data), runId: world.next.runId++ };
}
