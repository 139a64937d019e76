import type { Gate, Meta } from './gate.ts';

/*
 * What another hand, an expiry or an eviction may take from a gate while its Redis lives on.
 */

export const lostKeys = ['meta', 'holders', 'pending', 'pendingUsers'] as const;

const lostFields = [
  'runId',
  'history',
  'serial',
  'epoch',
  'minEpoch',
  'version',
  'total',
  'left',
  'pending',
  'state',
  'token',
  'staged',
] as const satisfies (keyof Meta)[];

export type Loss = (typeof lostKeys)[number] | `meta.${(typeof lostFields)[number]}`;

export const lostMeta = lostFields.map((field) => `meta.${field}` as const);

/** The field that is lost; `undefined` when a whole key is. */
export function fieldOf(loss: Loss): keyof Meta | undefined {
  return loss.startsWith('meta.') ? (loss.slice('meta.'.length) as keyof Meta) : undefined;
}

/** Whether there is anything of it to lose. */
export function canLose(gate: Gate, loss: Loss): boolean {
  const field = fieldOf(loss);
  if (field !== undefined) {
    return gate.meta?.[field] !== undefined;
  }
  const key = gate[loss as keyof Gate];
  return Array.isArray(key) ? key.length > 0 : key !== null;
}

export function lose(gate: Gate, loss: Loss): void {
  const field = fieldOf(loss);
  if (field === undefined) {
    Object.assign(gate, { [loss]: loss === 'meta' ? null : [] });
    return;
  }
  delete gate.meta?.[field];
  if (Object.keys(gate.meta ?? {}).length === 0) {
    gate.meta = null;
  }
}
