import { readFileSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

const niceness = constants.priority.PRIORITY_BELOW_NORMAL;

/**
 * Lets a process use what CPU the others leave, and little more. Never throws: a process without it
 * works as well.
 */
export function lowerPriority(pid: number): void {
  for (const lower of [() => setPriority(pid, niceness), () => lowerGroup(pid)]) {
    try {
      lower();
    } catch {
      // It is gone already, or this system has no such groups.
    }
  }
}

/**
 * Where Linux groups processes by session, niceness counts within a group only, and the group has a
 * niceness of its own. A process that has no session to itself shares it with whoever started it.
 */
function lowerGroup(pid: number): void {
  if (sessionOf(pid) === pid) {
    writeFileSync(`/proc/${pid}/autogroup`, String(niceness));
  }
}

/** See proc_pid_stat(5): what follows the name, which may hold anything, is state, ppid, pgrp, session. */
function sessionOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]);
}
