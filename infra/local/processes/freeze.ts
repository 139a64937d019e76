import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { eventually } from './waiting.ts';

/**
 * Stops the clock of a process until it is sent `SIGCONT`, as a machine does that stalls. Returns
 * when it stands still: until the signal has come to the first of its threads, and on a busy machine
 * that takes a while, the others go on working and answering.
 */
export async function freeze(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await eventually(() => standsStill(pid));
}

/** Whether a process was stopped, and not yet continued. */
export async function standsStill(pid: number): Promise<boolean> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'state=', '-p', String(pid)]);
  return stdout.startsWith('T');
}
