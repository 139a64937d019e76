import { randomInt } from 'node:crypto';
import { claimPort, giveUpPort, isClaimedHere } from './port-claims.ts';
import { isPortFree } from './ports.ts';

/**
 * Above the ports of our servers, and below those that systems give to outgoing connections: one of
 * these could take a port between the choice and its use.
 */
const first = 29_500;
const last = 32_700;

/**
 * A port of 127.0.0.1 that nobody listens on now, and that no other process of ours, of whatever
 * clone, gets as long as this one lives; and never the same one twice.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(first, last);
    if (isClaimedHere(port) || !(await claimPort(port))) {
      continue;
    }
    if (await isPortFree(port)) {
      return port;
    }
    giveUpPort(port);
  }
}
