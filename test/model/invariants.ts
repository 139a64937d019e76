import { addsUp, isFenced, isOpen } from './gate.ts';
import type { Issuance, World } from './world.ts';

/** What must hold after every step. Returns the invariant that does not, in words. */
export function violationNow(world: World): string | undefined {
  const { mysql, redis, acknowledged } = world;
  if (world.broken !== null) {
    return world.broken;
  }
  if (mysql.issued.length > mysql.total) {
    return `I1: ${mysql.issued.length} of ${mysql.total} are issued`;
  }
  if (hasRepeats(mysql.issued)) {
    return 'I2: a user was issued two, or an id was issued twice';
  }
  for (const { id } of acknowledged) {
    if (mysql.refused[id] !== undefined && !world.overcommitted) {
      return `I3: ${id} was acknowledged and is refused ${mysql.refused[id]}`;
    }
  }
  if (!isFenced(world) && !addsUp(world)) {
    return `I4: ${redis.meta?.left} left and ${redis.holders.length} held of ${redis.meta?.total}`;
  }
  return undefined;
}

/** What must hold besides when nothing is left to happen. */
export function violationAtRest(world: World): string | undefined {
  return (
    violationOfPromises(world) ??
    violationOfLog(world) ??
    (isOpen(world) ? (violationOfGate(world) ?? violationOfCoupon(world)) : undefined)
  );
}

/** What a world that is calm must come to; a small case may run out of recoveries before. */
export function violationOfLiveness(world: World): string | undefined {
  if (!isOpen(world)) {
    return 'Liveness: the gate stays shut';
  }
  return world.committed < world.log.length ? 'Liveness: the log is not decided' : undefined;
}

function violationOfPromises({ mysql, acknowledged, overcommitted }: World): string | undefined {
  const isIssued = ({ id, user }: Issuance): boolean =>
    mysql.issued.some((issuance) => issuance.id === id && issuance.user === user);
  const lost = acknowledged.find((answer) => !isIssued(answer));
  return lost === undefined || overcommitted
    ? undefined
    : `I3: ${lost.id} of ${lost.user} was acknowledged and is not issued`;
}

/** Everything in the log is issued, refused or a dead letter, and was told. */
function violationOfLog({ mysql, log, committed, decided, deadLetters }: World) {
  for (let offset = 0; offset < committed; offset++) {
    const record = log[offset]!;
    if (record.kind === 'garbage' && !deadLetters.includes(offset)) {
      return `I6: the garbage at ${offset} is no dead letter`;
    }
    if (record.kind === 'request') {
      const { id } = record;
      const isIssued = mysql.issued.some((issuance) => issuance.id === id);
      if (isIssued === id in mysql.refused) {
        return `I6: ${id} is in the log and is ${isIssued ? 'issued and refused' : 'neither issued nor refused'}`;
      }
      if (decided[id] !== (isIssued ? 'ISSUED' : 'REFUSED')) {
        return `I6: ${id} was decided and nobody was told so`;
      }
    }
  }
  return undefined;
}

function violationOfGate({ mysql, redis }: World): string | undefined {
  if (redis.pending.length > 0) {
    return `I5: ${redis.pending.map(({ id }) => id).join(' ')} stay pending`;
  }
  const issued = listed(mysql.issued);
  const held = listed(redis.holders);
  return issued === held ? undefined : `I5: MySQL issued [${issued}], Redis holds [${held}]`;
}

/** A lowering that broke off leaves the gate below MySQL, which is safe; never above. */
function violationOfCoupon({ mysql, redis: { meta }, overcommitted }: World) {
  if (meta?.version !== mysql.version || meta.state !== mysql.state) {
    return `I5: the coupon is ${mysql.state} (${mysql.version}), the gate ${meta?.state} (${meta?.version})`;
  }
  return meta.total! > mysql.total && !overcommitted
    ? `I5: the gate promises ${meta.total}, MySQL allows ${mysql.total}`
    : undefined;
}

function listed(issuances: readonly Issuance[]): string {
  const each = issuances.map(({ id, user }) => `${user}=${id}`);
  return each.sort().join(' ');
}

/** Compared one by one: there are few, and this is asked after every step. */
function hasRepeats(issued: readonly Issuance[]): boolean {
  for (let i = 1; i < issued.length; i++) {
    for (let j = 0; j < i; j++) {
      if (issued[i]!.id === issued[j]!.id || issued[i]!.user === issued[j]!.user) {
        return true;
      }
    }
  }
  return false;
}
