import { createSocket } from 'node:dgram';
import { expect, test } from 'vitest';
import { freePort } from './free-port.ts';
import { claimPort, giveUpPort } from './port-claims.ts';
import { choosePort } from './ports.ts';

test('a port that another process has claimed is not chosen, though nobody listens there yet', async () => {
  const port = await freePort();
  giveUpPort(port);
  const other = createSocket('udp4');
  await new Promise<void>((resolve) => other.bind({ port, address: '127.0.0.1' }, resolve));
  expect(await claimPort(port)).toBe(false);
  expect(await choosePort(port, new Set())).toBeGreaterThan(port);
  other.close();
});

test('a claim is kept, and may be made again by who has it', async () => {
  const port = await freePort();
  expect(await claimPort(port)).toBe(true);
  const other = createSocket('udp4');
  const refused = await new Promise<string>((resolve) => {
    other.once('error', ({ message }) => resolve(message));
    other.bind({ port, address: '127.0.0.1', exclusive: true });
  });
  expect(refused).toContain('EADDRINUSE');
  other.close();
});
