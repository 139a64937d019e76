import { writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

/**
 * Lets a process use what CPU the others leave, and little more. Never throws: a process without it
 * works as well.
 */
export function lowerPriority(pid: number): void {
  const niceness = constants.priority.PRIORITY_BELOW_NORMAL;
  for (const lower of [
    () => setPriority(pid, niceness),
    // Where Linux groups processes by session, niceness counts within a group only, and each of ours
    // is a group of its own: the group has a niceness, too.
    () => writeFileSync(`/proc/${pid}/autogroup`, String(niceness)),
  ]) {
    try {
      lower();
    } catch {
      // It is gone already, or this system has no such groups.
    }
  }
}
