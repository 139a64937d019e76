import type { Socket } from 'node:dgram';
import { createSocket } from 'node:dgram';

const claims = new Map<number, Socket>();

/**
 * Claims a TCP port of 127.0.0.1 for what this process is about to start: no other process of ours, of
 * whatever folder, gets it as long as this one lives. Whoever is to listen there may take seconds, and
 * until then the port looks free to everybody. The claim is the UDP port of the same number, which
 * nothing here needs otherwise: the system gives it to one process, and takes it back when that dies.
 * False when somebody else has it.
 */
export async function claimPort(port: number): Promise<boolean> {
  if (claims.has(port)) {
    return true;
  }
  const socket = createSocket('udp4').unref();
  const isBound = await new Promise<boolean>((resolve) => {
    socket.once('error', () => resolve(false));
    socket.bind({ port, address: '127.0.0.1', exclusive: true }, () => resolve(true));
  });
  if (isBound && !claims.has(port)) {
    claims.set(port, socket);
    return true;
  }
  socket.close();
  return claims.has(port);
}

export function isClaimedHere(port: number): boolean {
  return claims.has(port);
}

/** For a port that turned out to be in use. */
export function giveUpPort(port: number): void {
  claims.get(port)?.close();
  claims.delete(port);
}
