import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** Stands between a process and a server, and makes the way between them as bad as a test needs. */
export class TcpProxy {
  /** Every piece of data is late by so much, in each direction; the order stays. */
  delayMs = 0;
  private held: (() => void)[] | undefined;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: { host: string; port: number },
  ) {
    server.on('connection', (client) => this.join(client));
  }

  static async start(target: { host: string; port: number }): Promise<TcpProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, target);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Nothing gets through from now on, and nothing is lost: a server that stands still. */
  hold(): void {
    this.held ??= [];
  }

  release(): void {
    const held = this.held ?? [];
    this.held = undefined;
    held.forEach((pass) => pass());
  }

  /** Ends every connection, as a network does that breaks. */
  cut(): void {
    this.held = undefined;
    this.sockets.forEach((socket) => socket.destroy());
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private join(client: Socket): void {
    const server = connect(this.target.port, this.target.host);
    this.forward(client, server);
    this.forward(server, client);
  }

  private forward(from: Socket, to: Socket): void {
    this.sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (data) => this.pass(() => to.write(data)));
    from.on('end', () => this.pass(() => to.end()));
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.sockets.delete(from);
      to.destroySoon();
    });
  }

  private pass(send: () => void): void {
    if (this.held !== undefined) {
      this.held.push(send);
    } else if (this.delayMs > 0) {
      setTimeout(send, this.delayMs);
    } else {
      send();
    }
  }
}
