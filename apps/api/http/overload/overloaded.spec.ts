import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { ConnectionRests } from './connection-rests.ts';
import { overloaded, sendOverloaded } from './overloaded.ts';
import { problemDocument } from '../problem/problem.ts';

let server: Server;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

afterEach(() => {
  agent.destroy();
  server.closeAllConnections();
  server.close();
});

describe('the answer to one too many', () => {
  it('is the documented problem, with a request id of its own and a time to come again', async () => {
    await startServer();
    const answer = await ask();
    const body = JSON.parse(await text(answer)) as { request_id: string };
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(['1', '2', '3', '4']).toContain(answer.headers['retry-after']);
    expect(body.request_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(body).toEqual(problemDocument(body.request_id, overloaded()));
    expect(JSON.parse(await text(await ask()))).not.toEqual(body);
  });
});

describe('a connection of somebody who was sent away', () => {
  it('is heard again after a second', async () => {
    const rests = new ConnectionRests();
    await startServer(rests);
    await text(await ask());
    const askedAt = performance.now();
    const again = await ask();
    expect(performance.now() - askedAt).toBeGreaterThan(900);
    expect(again.statusCode).toBe(503);
  });

  it('is heard before that when enough others were served meanwhile', async () => {
    const rests = new ConnectionRests();
    await startServer(rests);
    await text(await ask());
    const askedAt = performance.now();
    const serving = setInterval(() => rests.served(), 5);
    await ask();
    clearInterval(serving);
    expect(performance.now() - askedAt).toBeLessThan(900);
  });
});

async function startServer(rests?: ConnectionRests): Promise<void> {
  server = createServer((request, response) => {
    rests?.beginAfter(request, response);
    sendOverloaded(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
}

async function ask(): Promise<IncomingMessage> {
  const { port } = server.address() as AddressInfo;
  const [answer] = await once(get({ host: '127.0.0.1', port, agent }), 'response');
  return answer as IncomingMessage;
}
