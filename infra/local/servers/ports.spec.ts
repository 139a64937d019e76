import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { choosePort, isPortFree } from './ports.ts';

const servers: Server[] = [];

async function occupyPort(host: string): Promise<number> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen({ host, port: 0 }, resolve));
  return (server.address() as AddressInfo).port;
}

afterEach(() => {
  servers.splice(0).forEach((server) => server.close());
});

test.each(['127.0.0.1', '0.0.0.0'])(
  'a port that another program has on %s is not free',
  async (host) => {
    const port = await occupyPort(host);
    expect(await isPortFree(port)).toBe(false);
  },
);

test('takes the next free port after one that is in use', async () => {
  const port = await occupyPort('127.0.0.1');
  const chosen = await choosePort(port, new Set());
  expect(chosen).toBeGreaterThan(port);
  expect(await isPortFree(chosen)).toBe(true);
});

test('never gives the same port twice', async () => {
  const taken = new Set<number>();
  const first = await choosePort(40_300, taken);
  const second = await choosePort(40_300, taken);
  expect(second).toBeGreaterThan(first);
  expect([...taken]).toEqual([first, second]);
});
