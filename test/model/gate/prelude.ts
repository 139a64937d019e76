import type { Gate, GateWorld, Issuance, Meta } from './gate.ts';

/** A script that counts with a field of `meta` that is missing breaks off. */
export class ScriptError extends Error {}

export function numberIn(meta: Meta, field: 'epoch' | 'version' | 'left'): number {
  const value = meta[field];
  if (value === undefined) {
    throw new ScriptError(`meta has no ${field}`);
  }
  return value;
}

/** What a script answers; nothing where it breaks off. */
export function answerOf<Reply>(run: () => Reply): Reply | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof ScriptError) {
      return undefined;
    }
    throw error;
  }
}

/** `is_fenced` of prelude.lua */
export function isFenced({ redis, mutation }: GateWorld, meta: Meta): boolean {
  const otherRun = mutation !== 'noRunIdFence' && meta.runId !== redis.runId;
  return (
    otherRun || (mutation !== 'noMinEpochFence' && numberIn(meta, 'epoch') < (meta.minEpoch ?? 0))
  );
}

/** `has_all` of prelude.lua */
export function hasAll({ mutation }: GateWorld, gate: Gate): boolean {
  const meta = gate.meta!;
  const isLeft = numberIn(meta, 'left') + gate.holders.length === meta.total;
  return (
    (isLeft || mutation === 'noHoldersCount') &&
    (gate.pending.length === meta.pending || mutation === 'noPendingCount') &&
    (gate.pendingUsers.length === meta.pending || mutation === 'noPendingUsersCount')
  );
}

export function withoutIds(from: readonly Issuance[], ids: readonly number[]): Issuance[] {
  return from.filter(({ id }) => !ids.includes(id));
}
