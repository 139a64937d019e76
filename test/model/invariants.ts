import { addsUp, isFenced, isOpen } from './protocol.js';
import type { World } from './world.js';

/** What must hold after every step. Returns the invariant that does not, in words. */
export function violationNow(world: World): string | undefined {
  const { mysql, redis, acknowledged } = world;
  if (world.broken !== null) {
    return world.broken;
  }
  if (mysql.issued.length > mysql.total) {
    return `I1: ${mysql.issued.length} of ${mysql.total} are issued`;
  }
  if (hasRepeats(mysql.issued.map(({ user }) => user))) {
    return 'I2: a user was issued two';
  }
  if (hasRepeats(mysql.issued.map(({ id }) => id))) {
    return 'I2: an id was issued twice';
  }
  const refused = acknowledged.find(({ id }) => id in mysql.refused);
  if (refused !== undefined && !world.overcommitted) {
    return `I3: ${refused.id} was acknowledged and is refused ${mysql.refused[refused.id]}`;
  }
  if (!isFenced(world) && !addsUp(world)) {
    const held = Object.keys(redis.holders).length;
    return `I4: ${redis.meta?.left} left and ${held} held of ${redis.meta?.total}`;
  }
  return undefined;
}

/** What must hold besides when nothing is left to happen. */
export function violationAtRest(world: World): string | undefined {
  return violationOfPromises(world) ?? (isOpen(world) ? violationOfGate(world) : undefined);
}

/** What a world that is calm must come to; a small case may run out of recoveries before. */
export function violationOfLiveness(world: World): string | undefined {
  if (!isOpen(world)) {
    return 'Liveness: the gate stays shut';
  }
  return world.committed < world.log.length ? 'Liveness: the log is not decided' : undefined;
}

function violationOfPromises({ mysql, acknowledged, overcommitted, ...world }: World) {
  const issued = new Map(mysql.issued.map(({ id, user }) => [id, user]));
  const lost = acknowledged.find(({ id, user }) => issued.get(id) !== user);
  if (lost !== undefined && !overcommitted) {
    return `I3: ${lost.id} of ${lost.user} was acknowledged and is not issued`;
  }
  for (const record of world.log.slice(0, world.committed)) {
    if (record.kind === 'request') {
      const { id } = record;
      if (issued.has(id) === id in mysql.refused) {
        return `I6: ${id} is in the log and is ${issued.has(id) ? 'issued and refused' : 'neither issued nor refused'}`;
      }
      if (world.decided[id] !== (issued.has(id) ? 'ISSUED' : 'REFUSED')) {
        return `I6: ${id} was decided and nobody was told so`;
      }
    }
  }
  return undefined;
}

function violationOfGate({ mysql, redis }: World): string | undefined {
  if (Object.keys(redis.pending).length > 0) {
    return `I5: ${Object.keys(redis.pending).join(' ')} stay pending`;
  }
  const issued = mysql.issued.map(({ id, user }) => `${user}=${id}`).sort();
  const held = Object.entries(redis.holders)
    .map(([user, id]) => `${user}=${id}`)
    .sort();
  return issued.join(' ') === held.join(' ')
    ? undefined
    : `I5: MySQL issued [${issued.join(' ')}], Redis holds [${held.join(' ')}]`;
}

function hasRepeats(values: readonly string[]): boolean {
  return new Set(values).size < values.length;
}
