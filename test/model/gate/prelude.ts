import type { Gate, GateState, GateWorld, Issuance, Meta } from './gate.ts';

/** What `meta` says when nothing is missing. */
export type WholeMeta = Required<Omit<Meta, 'token' | 'staged'>> & Pick<Meta, 'token' | 'staged'>;

const needed = [
  'epoch',
  'minEpoch',
  'serial',
  'version',
  'total',
  'left',
  'pending',
  'state',
] as const satisfies (keyof Meta)[];

/** `read_meta` of prelude.lua */
export function readMeta({ mutation }: GateWorld, { meta }: Gate): WholeMeta | null {
  if (meta === null) {
    return null;
  }
  const isForgiven = (field: (typeof needed)[number]): boolean =>
    (field === 'minEpoch' && mutation === 'minEpochNotNeeded') ||
    (field === 'state' && mutation === 'stateNotNeeded');
  return needed.every((field) => meta[field] !== undefined || isForgiven(field))
    ? (meta as WholeMeta)
    : null;
}

/** `was_opened_here` of prelude.lua */
function wasOpenedHere({ redis, mutation }: GateWorld, meta: Meta): boolean {
  return (
    (meta.runId === redis.runId || mutation === 'noRunIdFence') &&
    (meta.history === redis.history || mutation === 'noHistoryFence')
  );
}

/** `is_latest` of prelude.lua */
function isLatest({ seen, mutation }: GateWorld, coupon: number, meta: WholeMeta): boolean {
  const { epoch, serial } = seen[coupon]!;
  const forgetsSerials = mutation === 'noSerialSeen' || mutation === 'epochKeptAfterOpen';
  return (
    meta.epoch > epoch ||
    (meta.epoch === epoch && (meta.serial >= serial || forgetsSerials)) ||
    mutation === 'noEpochSeen'
  );
}

/** `has_all` of prelude.lua */
export function hasAll({ mutation }: GateWorld, gate: Gate, meta: WholeMeta): boolean {
  return (
    (meta.left + gate.holders.length === meta.total || mutation === 'noHoldersCount') &&
    (gate.pending.length === meta.pending || mutation === 'noPendingCount') &&
    (gate.pendingUsers.length === meta.pending || mutation === 'noPendingUsersCount')
  );
}

/** `open_gate` of prelude.lua, but for the safeguards that the caller does without. */
export function openGate(
  world: GateWorld,
  coupon: number,
  without: { fence?: boolean; counts?: boolean } = {},
): WholeMeta | null {
  const gate = world.redis.gates[coupon]!;
  const meta = readMeta(world, gate);
  if (meta === null) {
    return null;
  }
  const isFencedOff = meta.epoch < (meta.minEpoch ?? 0) && world.mutation !== 'noMinEpochFence';
  const isFenced = isFencedOff || !isLatest(world, coupon, meta) || !wasOpenedHere(world, meta);
  if (isFenced && without.fence !== true) {
    return null;
  }
  return hasAll(world, gate, meta) || without.counts === true ? meta : null;
}

/** `shut` of prelude.lua */
export function shut({ redis }: GateWorld, coupon: number): 'absent' | 'fenced' {
  const gate = redis.gates[coupon]!;
  const { meta } = gate;
  if (meta === null) {
    return 'absent';
  }
  delete meta.runId;
  if (Object.keys(meta).length === 0) {
    // A hash without fields is gone.
    gate.meta = null;
  }
  return 'fenced';
}

/** `least_epoch` of prelude.lua */
export function leastEpoch(meta: Meta): number {
  if (meta.minEpoch === undefined) {
    delete meta.runId;
  }
  return meta.minEpoch ?? 0;
}

/** What a caller knows once the gate has answered in this state. */
export function learn(world: GateWorld, coupon: number, state: GateState): void {
  if (world.isInformed) {
    remember(world, coupon, state);
  }
}

/** What a caller knows once it has read the coupon in MySQL. */
export function learnEpoch(world: GateWorld, coupon: number, epoch: number): void {
  remember(world, coupon, { epoch, serial: 0 });
}

function remember({ seen }: GateWorld, coupon: number, { epoch, serial }: GateState): void {
  const latest = seen[coupon]!;
  if (epoch > latest.epoch || (epoch === latest.epoch && serial > latest.serial)) {
    seen[coupon] = { epoch, serial };
  }
}

export function withoutIds(from: readonly Issuance[], ids: readonly number[]): Issuance[] {
  return from.filter(({ id }) => !ids.includes(id));
}
