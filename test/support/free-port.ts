import { randomInt } from 'node:crypto';
import { isPortFree } from '../../infra/local/ports.ts';

/**
 * Above the ports of our servers, and below those that systems give to outgoing connections: one of
 * these could take a port between the choice and its use.
 */
const first = 29_500;
const last = 32_700;

const given = new Set<number>();

/** A port of 127.0.0.1 that nobody listens on now; never the same one twice. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(first, last);
    if (!given.has(port) && (await isPortFree(port))) {
      given.add(port);
      return port;
    }
  }
}
