import type { Gate, Issuance } from './gate/gate.ts';
import { openGate } from './gate/prelude.ts';
import { isOpen } from './gate/scripts.ts';
import type { LedgerCoupon, World } from './world.ts';

/** What must hold after every step. Returns the invariant that does not, in words. */
export function violationNow(world: World): string | undefined {
  const { mysql, redis, acknowledged } = world;
  if (world.broken !== null) {
    return world.broken;
  }
  for (const { issued, total } of mysql.coupons) {
    if (issued.length > total) {
      return `I1: ${issued.length} of ${total} are issued`;
    }
    if (hasRepeats(issued)) {
      return 'I2: a user was issued two, or an id was issued twice';
    }
  }
  for (const { id } of acknowledged) {
    if (mysql.refused[id] !== undefined && !world.overcommitted) {
      return `I3: ${id} was acknowledged and is refused ${mysql.refused[id]}`;
    }
  }
  for (const coupon of world.isMeddledWith ? [] : redis.gates.keys()) {
    const violation = violationOfOpen(world, coupon);
    if (violation !== undefined) {
      return violation;
    }
  }
  return undefined;
}

/** What nobody has meddled with adds up as long as it is not fenced, and goes by the last change. */
function violationOfOpen(world: World, coupon: number): string | undefined {
  const meta = openGate(world, coupon, { counts: true });
  if (meta === null) {
    return undefined;
  }
  const told = world.toldVersions[coupon]!;
  if (meta.version < told) {
    return `Change: the gate is open at version ${meta.version}, though ${told} was told to be made`;
  }
  const { holders, pending, pendingUsers } = world.redis.gates[coupon]!;
  if (meta.left + holders.length !== meta.total) {
    return `I4: ${meta.left} left and ${holders.length} held of ${meta.total}`;
  }
  return pending.length === meta.pending && pendingUsers.length === meta.pending
    ? undefined
    : `I4: ${meta.pending} are pending, in truth ${pending.length}, of ${pendingUsers.length} users`;
}

/** What must hold besides when nothing is left to happen. */
export function violationAtRest(world: World): string | undefined {
  return (
    violationOfPromises(world) ??
    violationOfLog(world) ??
    firstOf(world, (ledger, gate, coupon) =>
      isOpen(world, coupon)
        ? (violationOfGate(ledger, gate) ?? violationOfTerms(world, ledger, gate))
        : undefined,
    )
  );
}

/** What a world that is calm must come to; a small case may run out of recoveries before. */
export function violationOfLiveness(world: World): string | undefined {
  return (
    firstOf(world, (_, __, coupon) =>
      isOpen(world, coupon) ? undefined : 'Liveness: the gate stays shut',
    ) ?? (world.committed < world.log.length ? 'Liveness: the log is not decided' : undefined)
  );
}

function firstOf(
  { mysql, redis }: World,
  violationOf: (ledger: LedgerCoupon, gate: Gate, coupon: number) => string | undefined,
): string | undefined {
  for (const [coupon, ledger] of mysql.coupons.entries()) {
    const violation = violationOf(ledger, redis.gates[coupon]!, coupon);
    if (violation !== undefined) {
      return violation;
    }
  }
  return undefined;
}

function violationOfPromises({ mysql, acknowledged, overcommitted }: World): string | undefined {
  const lost = acknowledged.find(
    ({ id, user, coupon }) =>
      !mysql.coupons[coupon]!.issued.some((one) => one.id === id && one.user === user),
  );
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
      const { id, coupon } = record;
      const isIssued = mysql.coupons[coupon]?.issued.some((one) => one.id === id) === true;
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

function violationOfGate(ledger: LedgerCoupon, { pending, holders }: Gate): string | undefined {
  if (pending.length > 0) {
    return `I5: ${pending.join(' ')} stay pending`;
  }
  const issued = listed(ledger.issued);
  const held = listed(holders);
  return issued === held ? undefined : `I5: MySQL issued [${issued}], Redis holds [${held}]`;
}

/** A lowering that broke off leaves the gate below MySQL, which is safe; never above. */
function violationOfTerms({ overcommitted }: World, ledger: LedgerCoupon, { meta }: Gate) {
  const { version, state, total } = ledger;
  if (meta?.version !== version || meta.state !== state) {
    return `I5: the coupon is ${state} (${version}), the gate ${meta?.state} (${meta?.version})`;
  }
  return meta.total! > total && !overcommitted
    ? `I5: the gate promises ${meta.total}, MySQL allows ${total}`
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
