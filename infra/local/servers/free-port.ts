import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { isPortFree } from './ports.ts';

/**
 * Above the ports of our servers, and below those that systems give to outgoing connections: one of
 * these could take a port between the choice and its use.
 */
const first = 29_500;
const last = 32_700;

/** A file for each port that was chosen, with the pid of who chose it. */
const takenPorts = join(tmpdir(), `firstcome-test-ports-${userInfo().uid}`);

/**
 * A port of 127.0.0.1 that nobody listens on now, and that no other test process, of whatever clone,
 * gets as long as this one lives: what it is for may take seconds to listen there.
 */
export async function freePort(): Promise<number> {
  mkdirSync(takenPorts, { recursive: true });
  for (;;) {
    const port = randomInt(first, last);
    if (take(port) && (await isPortFree(port))) {
      return port;
    }
  }
}

function take(port: number): boolean {
  const file = join(takenPorts, String(port));
  try {
    if (isTaken(file)) {
      return false;
    }
    rmSync(file, { force: true });
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    // Somebody else was quicker.
    return false;
  }
}

function isTaken(file: string): boolean {
  try {
    process.kill(Number(readFileSync(file, 'utf8')), 0);
    return true;
  } catch {
    return false;
  }
}
