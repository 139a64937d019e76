/** Where a test may have a process die, as by a crash, or stand still: after which step. */
export const faultPoints = [
  'api.reserved',
  'api.published',
  'api.confirmed',
  'issuer.in_transaction',
  'issuer.committed',
  'issuer.released',
  'issuer.told',
  'recovery.raised',
  'recovery.fenced',
  'recovery.marked',
  'recovery.claimed',
  'recovery.staged',
  'archive.recorded',
  'archive.removed',
] as const;

export type FaultPoint = (typeof faultPoints)[number];

export const faultSignals = ['SIGKILL', 'SIGSTOP'] as const;

let armed: { point: FaultPoint; signal: (typeof faultSignals)[number] } | undefined;

/**
 * Has this process die at `point`, or stand still there until it gets SIGCONT; the settings
 * FAULT_POINT and FAULT_SIGNAL say so, which only tests set.
 */
export function armFaultPoint(
  point: FaultPoint | undefined,
  signal: (typeof faultSignals)[number],
): void {
  armed = point === undefined ? undefined : { point, signal };
}

/** Passed by every process after each step of the protocol. */
export function faultPoint(point: FaultPoint): void {
  if (armed?.point === point) {
    const { signal } = armed;
    armed = undefined;
    process.kill(process.pid, signal);
  }
}
