import { readFileSync } from 'node:fs';

/** Of Linux, whatever the machine: USER_HZ. */
const ticksPerSecond = 100;

/** What a process has used so far, user and system. Reads /proc, so it needs Linux. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the process, in brackets, may have blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [utime, stime] = [fields[11], fields[12]];
  return (Number(utime) + Number(stime)) / ticksPerSecond;
}
