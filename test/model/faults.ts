import type { Choice } from './choices.ts';
import { addFault, nothing, step } from './choices.ts';
import type { RedisData } from './gate/gate.ts';
import { absentGate, copyGate, copyRedis } from './gate/gate.ts';
import { canLose, lose } from './gate/losses.ts';
import { claimGate } from './actors/recovery.ts';
import { learnEpoch } from './gate/prelude.ts';
import { fence } from './gate/recovery-scripts.ts';
import type { LogRecord, RedisFault, World } from './world.ts';
import { unknownCoupon } from './world.ts';

/**
 * A produce whose producer has gone on is appended late, or lost. In any order. And someone may write
 * into the log what none of ours would.
 */
export function networkChoices(world: World): readonly Choice[] {
  if (world.inFlight.length + world.lateClaims.length === 0 && world.budget.poison === 0) {
    return nothing;
  }
  const choices = world.inFlight.flatMap((record, i) => lateChoices(world, record, i));
  world.lateClaims.forEach(({ coupon, epoch, token }, i) => {
    const arrive = (isLost: boolean): void => {
      world.lateClaims.splice(i, 1);
      if (!isLost) {
        claimGate(world, coupon, epoch, token);
      }
    };
    choices.push(step('network', `a late claim in epoch ${epoch}`, () => arrive(false)));
    choices.push(step('network', `lose a claim in epoch ${epoch}`, () => arrive(true)));
  });
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
  demotion: (world) => {
    const { runId } = world.redis;
    world.redis = { ...copyRedis(world.replica), runId, history: world.next.history++ };
  },
  // Leaves run id and history as they are.
  flush: ({ redis }) => {
    redis.gates = redis.gates.map(absentGate);
    redis.watermark = 0;
  },
  fence: (world) => {
    world.redis.gates.forEach(({ meta }, coupon) => fence(world, coupon, (meta?.epoch ?? 0) + 1));
  },
};

function becomes(world: World, data: RedisData): void {
  // It has another history, too; its run alone must do.
  const { history } = world.redis;
  world.redis = { ...copyRedis(data), runId: world.next.runId++, history };
}

/** Whoever asks a gate may have read the list of coupons, or not yet. */
export function catalogueChoices(world: World): readonly Choice[] {
  const { budget, seen, mysql } = world;
  if (budget.catalogues === 0) {
    return nothing;
  }
  const choices: Choice[] = [];
  mysql.coupons.forEach(({ epoch }, coupon) => {
    if (epoch > seen[coupon]!.epoch) {
      addFault(choices, world, 'catalogues', 'apis', `read the epoch of ${coupon}`, () =>
        readCatalogue(world, coupon),
      );
    }
  });
  return choices;
}

function readCatalogue(world: World, coupon: number): void {
  learnEpoch(world, coupon, world.mysql.coupons[coupon]!.epoch);
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
      if (world.isInformed) {
        readCatalogue(world, coupon);
      }
      redis.gates[coupon] = copyGate(world.backup.gates[coupon]!);
    });
  });
  return choices;
}
