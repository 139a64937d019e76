import { once } from 'node:events';
import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { RawClient, rawRequest } from '../../../../test/harness/http/raw-client.ts';
import { BrokenConnections, connectionProblem } from './broken-connections.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** Requests must be there within 300 ms. */
async function connectTo(answer: RequestListener): Promise<RawClient> {
  const connections = new BrokenConnections();
  const started = createServer(
    { requestTimeout: 300, headersTimeout: 300, connectionsCheckingInterval: 20 },
    answer,
  );
  server = started;
  started.on('clientError', (error, socket) =>
    connections.reject(socket as Socket, error as NodeJS.ErrnoException),
  );
  connections.watch(started);
  await once(started.listen(0, '127.0.0.1'), 'listening');
  return RawClient.connect(`http://127.0.0.1:${(started.address() as AddressInfo).port}`);
}

const begun = rawRequest('POST /', ['Content-Length: 10']);

describe('a request that is broken', () => {
  it('may be sent again where it was late only, not where it was wrong', () => {
    const late = connectionProblem({ code: 'ERR_HTTP_REQUEST_TIMEOUT' });
    expect([late.code, late.details.retryAfterSeconds]).toEqual([
      'REQUEST_TIMEOUT',
      expect.any(Number),
    ]);
    const wrong = connectionProblem({ code: 'HPE_INVALID_METHOD' });
    expect([wrong.code, wrong.details.retryAfterSeconds]).toEqual(['INVALID_REQUEST', undefined]);
  });

  it('is answered after those before it on its connection', async () => {
    const client = await connectTo((_request, response) => {
      setTimeout(() => response.end('{"first":true}'), 200);
    });
    client.send(Buffer.concat([rawRequest('GET /'), Buffer.from('NONSENSE\r\n\r\n')]));
    expect((await client.answer()).body).toEqual({ first: true });
    expect((await client.answer()).body).toMatchObject({ code: 'INVALID_REQUEST' });
    await client.closed();
  });

  it('is answered once, however much of it still comes', async () => {
    const client = await connectTo(() => undefined);
    client.send('NONSENSE\r\n\r\n');
    client.send('x'.repeat(100_000));
    expect((await client.answer()).status).toBe(400);
    client.send('y'.repeat(100_000));
    await client.closed();
    await expect(client.answer()).rejects.toThrow('no answer, but: ');
  });

  it('is answered when its body does not come, and the connection closed although the client keeps it', async () => {
    const client = await connectTo(() => undefined);
    client.send(begun);
    const sending = setInterval(() => client.send('x'), 100);
    expect((await client.answer()).body).toMatchObject({ code: 'REQUEST_TIMEOUT' });
    await expect
      .poll(() => new Promise((resolve) => server!.getConnections((_, count) => resolve(count))), {
        timeout: 4_000,
      })
      .toBe(0);
    clearInterval(sending);
  });

  it('is not answered a second time when its body is missing from one that was sent away', async () => {
    const client = await connectTo((_request, response) => response.end('{"away":true}'));
    client.send(begun);
    expect((await client.answer()).body).toEqual({ away: true });
    await client.closed();
    await expect(client.answer()).rejects.toThrow(/no answer, but: $/);
  });
});
