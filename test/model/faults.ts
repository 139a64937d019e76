import type { Choice } from './choices.ts';
import { addFault, nothing, step } from './choices.ts';
import type { RedisData } from './gate/gate.ts';
import { absentGate, copyGate, copyRedis } from './gate/gate.ts';
import { canLose, lose } from './gate/losses.ts';
import { fence } from './gate/recovery-scripts.ts';
import type { LogRecord, RedisFault, World } from './world.ts';
import { unknownCoupon } from './world.ts';

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
    world.log.push({ kind: 'request', id, user: 'eve', coupon: unknownCoupon, epoch: 1 });
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
    world.backup = copyRedis(world.redis);
  });
  addFault(choices, world, 'copies', 'copies', 'replicate', () => {
    world.replica = copyRedis(world.redis);
  });
  return choices;
}

const redisFaults: Record<RedisFault, (world: World) => void> = {
  restart: (world) => becomes(world, world.redis),
  rollback: (world) => becomes(world, world.backup),
  failover: (world) => becomes(world, world.replica),
  // Leaves the run id as it is.
  flush: ({ redis }) => {
    redis.gates = redis.gates.map(absentGate);
    redis.watermark = 0;
  },
  fence: (world) => {
    world.redis.gates.forEach(({ meta }, coupon) => fence(world, coupon, (meta?.epoch ?? 0) + 1));
  },
};

function becomes(world: World, data: RedisData): void {
  world.redis = { ...copyRedis(data), runId: world.next.runId++ };
}

/** What befalls one gate in a Redis that lives on, and so keeps its run id. */
export function gateChoices(world: World): readonly Choice[] {
  const { budget, redis } = world;
  if (budget.losses === 0 && budget.putBacks === 0) {
    return nothing;
  }
  const choices: Choice[] = [];
  redis.gates.forEach((gate, coupon) => {
    for (const loss of world.losses.filter((one) => canLose(gate, one))) {
      addFault(choices, world, 'losses', 'redis', `lose ${loss} of ${coupon}`, () => {
        world.isMeddledWith = true;
        lose(gate, loss);
      });
    }
    addFault(choices, world, 'putBacks', 'redis', `put ${coupon} back`, () => {
      world.isMeddledWith = true;
      redis.gates[coupon] = copyGate(world.backup.gates[coupon]!);
    });
  });
  return choices;
}
