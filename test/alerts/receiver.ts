import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { createServer } from 'node:http';
import { freePort } from '../../infra/local/servers/free-port.ts';

export interface Received {
  status: 'firing' | 'resolved';
  labels: Record<string, string>;
  /** By `performance.now()` of this process. */
  atMs: number;
}

/** A webhook, as somebody on call would have one: keeps what Alertmanager sends, and when it came. */
export class Receiver {
  readonly received: Received[] = [];

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<Receiver> {
    const port = await freePort();
    const server = createServer((request, response) => {
      void receiver.take(request).then(() => response.end());
    });
    const receiver: Receiver = new Receiver(server, `http://127.0.0.1:${port}/`);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  /** The first message of this kind about an alert that came after `sinceMs`. */
  find(
    status: Received['status'],
    labels: Record<string, string>,
    sinceMs: number,
  ): Received | undefined {
    return this.received.find(
      (each) =>
        each.status === status &&
        each.atMs >= sinceMs &&
        Object.entries(labels).every(([name, value]) => each.labels[name] === value),
    );
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async take(request: IncomingMessage): Promise<void> {
    const atMs = performance.now();
    let text = '';
    for await (const part of request.setEncoding('utf8')) {
      text += part as string;
    }
    const { alerts } = JSON.parse(text) as { alerts: Omit<Received, 'atMs'>[] };
    this.received.push(...alerts.map(({ status, labels }) => ({ status, labels, atMs })));
  }
}
