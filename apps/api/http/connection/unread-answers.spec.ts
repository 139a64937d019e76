import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { RawClient, rawRequest } from '../../../../test/harness/http/raw-client.ts';
import { UnreadAnswers } from './unread-answers.ts';

const timeoutMs = 1_500;
const server = createServer(({ url }, response) => {
  response.end(url === '/large' ? Buffer.alloc(20_000_000) : '{}');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

it('closes a connection whose answer nobody reads, and none that is idle', async () => {
  new UnreadAnswers(timeoutMs).watch(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [reader, idler] = [await RawClient.connect(url), await RawClient.connect(url)];
  idler.send(rawRequest('GET /small'));
  await idler.answer();

  const startedAt = performance.now();
  reader.socket.pause();
  reader.send(rawRequest('GET /large'));
  await expect.poll(connections, { timeout: 4_500 }).toBe(1);
  expect(performance.now() - startedAt).toBeGreaterThan(timeoutMs);
  idler.send(rawRequest('GET /small'));
  expect((await idler.answer()).status).toBe(200);
  [reader, idler].forEach((client) => client.close());
});

function connections(): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}
