import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';

export interface RawAnswer {
  status: number;
  /** By their names in lower case. */
  headers: Headers;
  text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- whoever asks knows the shape
  body: any;
}

/** Answers without a body, whatever their headers say. */
const bodiless = new Set([204, 304]);

/** A client of HTTP/1.1 that sends what it is told to, right or wrong, on a connection of its own. */
export class RawClient {
  private received = Buffer.alloc(0);

  private constructor(readonly socket: Socket) {
    socket.on('data', (piece) => (this.received = Buffer.concat([this.received, piece])));
    // Whoever breaks the rules may be cut off.
    socket.on('error', () => undefined);
  }

  static async connect(url: string): Promise<RawClient> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  send(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  /** The next answer; rejects when the connection ends before one is there. */
  async answer(): Promise<RawAnswer> {
    for (;;) {
      const answer = this.takeAnswer();
      if (answer !== undefined) {
        return answer;
      }
      if (this.socket.readableEnded || this.socket.destroyed) {
        throw new Error(`no answer, but: ${this.received.toString('latin1')}`);
      }
      await this.somethingHappened();
    }
  }

  /** Waits until the server has closed the connection. */
  async closed(): Promise<void> {
    if (!this.socket.readableEnded && !this.socket.destroyed) {
      await Promise.race([once(this.socket, 'end'), once(this.socket, 'close')]);
    }
  }

  close(): void {
    this.socket.destroy();
  }

  /** Leaves nobody listening: a connection may have a thousand answers. */
  private async somethingHappened(): Promise<void> {
    const happened = new AbortController();
    const { signal } = happened;
    try {
      const any = ['data', 'end', 'close'].map((event) => once(this.socket, event, { signal }));
      await Promise.race(any);
    } finally {
      happened.abort();
    }
  }

  private takeAnswer(): RawAnswer | undefined {
    const headEnd = this.received.indexOf('\r\n\r\n');
    if (headEnd === -1) {
      return undefined;
    }
    const [first = '', ...lines] = this.received.toString('latin1', 0, headEnd).split('\r\n');
    const headers = new Headers(
      lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
    );
    const status = Number(first.split(' ')[1]);
    const length = bodiless.has(status) ? '0' : headers.get('content-length');
    const end = headEnd + 4 + Number(length);
    if (length === null || this.received.length < end) {
      return undefined;
    }
    const text = this.received.toString('utf8', headEnd + 4, end);
    this.received = this.received.subarray(end);
    return {
      status,
      headers,
      text,
      body: text === '' ? {} : (JSON.parse(text) as unknown),
    };
  }
}

/** Sends these bytes on a connection of their own and resolves to the answer. */
export async function exchange(url: string, bytes: string | Buffer): Promise<RawAnswer> {
  const client = await RawClient.connect(url);
  try {
    client.send(bytes);
    return await client.answer();
  } finally {
    client.close();
  }
}

/** A request as bytes, with what HTTP/1.1 asks for; a body gets its length. */
export function rawRequest(
  firstLine: string,
  headers: readonly string[] = [],
  body: string | Buffer = '',
): Buffer {
  const bytes = Buffer.from(body);
  const length = bytes.length === 0 ? [] : [`Content-Length: ${bytes.length}`];
  const lines = [`${firstLine} HTTP/1.1`, 'Host: api', ...headers, ...length];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
}
