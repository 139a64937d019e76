import { once } from 'node:events';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { connect } from 'node:http2';
import { RawClient, rawRequest } from '../harness/http/raw-client.ts';

/** What a request of a burst was told. */
export interface Told {
  status: number;
  issuanceId: string | undefined;
}

/** Sends requests so that all of them end at the same moment. */
export interface Burst extends Disposable {
  /** The same request as many times as it has requests; resolves to all answers. */
  send(body: string): Promise<Told[]>;
}

const path = '/api/v1/coupons/assign';
const json = 'application/json';

/**
 * So many connections: each request is sent but for its last byte, and those follow together ("last
 * byte synchronisation"), when all else is on its way.
 */
export async function openHttp1Burst(url: string, size: number): Promise<Burst> {
  const clients = await Promise.all(Array.from({ length: size }, () => RawClient.connect(url)));
  clients.forEach(({ socket }) => socket.setNoDelay(true));
  return {
    send: async (body) => {
      const bytes = rawRequest(`POST ${path}`, [`Content-Type: ${json}`], body);
      const [most, last] = [bytes.subarray(0, -1), bytes.subarray(-1)];
      await Promise.all(clients.map(({ socket }) => written(socket, most)));
      const answers = clients.map((client) => client.answer());
      clients.forEach((client) => client.send(last));
      return (await Promise.all(answers)).map(({ status, body: told }) => ({
        status,
        issuanceId: told.issuance_id,
      }));
    },
    [Symbol.dispose]: () => clients.forEach((client) => client.close()),
  };
}

/** So many streams of one connection, whose last frames leave in one write: a single packet. */
export async function openHttp2Burst(url: string, size: number): Promise<Burst> {
  const session = connect(url);
  await once(session, 'connect');
  return {
    send: async (body) => {
      const streams = Array.from({ length: size }, () => open(session, body.length));
      const [most, last] = [body.slice(0, -1), body.slice(-1)];
      await Promise.all(streams.map((stream) => written(stream, Buffer.from(most))));
      const answers = streams.map(answerOf);
      // In one turn: what Node has for a session it writes at once.
      streams.forEach((stream) => stream.end(last));
      return Promise.all(answers);
    },
    [Symbol.dispose]: () => session.destroy(),
  };
}

function open(session: ClientHttp2Session, length: number): ClientHttp2Stream {
  const headers = { 'content-type': json, 'content-length': length };
  return session.request({ ':method': 'POST', ':path': path, ...headers });
}

function written(to: NodeJS.WritableStream, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) =>
    to.write(bytes, (error) => (error ? reject(error) : resolve())),
  );
}

async function answerOf(stream: ClientHttp2Stream): Promise<Told> {
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  let text = '';
  stream.setEncoding('utf8');
  for await (const piece of stream) {
    text += String(piece);
  }
  const told = (text === '' ? {} : JSON.parse(text)) as { issuance_id?: string };
  return { status: Number(headers[':status']), issuanceId: told.issuance_id };
}
