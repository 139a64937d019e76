/** Where a test may have a process die, as by a crash: after which step. */
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
] as const;

export type FaultPoint = (typeof faultPoints)[number];

let armed: FaultPoint | undefined;

/** Has this process die at `point`; the setting FAULT_POINT says so, which only tests set. */
export function armFaultPoint(point: FaultPoint | undefined): void {
  armed = point;
}

/** Passed by every process after each step of the protocol. */
export function faultPoint(point: FaultPoint): void {
  if (armed === point) {
    process.kill(process.pid, 'SIGKILL');
  }
}
