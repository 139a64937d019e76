import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

interface Target {
  host: string;
  port: number;
}

/** Stands between a process and a server, and makes the way between them as bad as a test needs. */
export class TcpProxy {
  /** Every piece of data is late by so much, in each direction; the order stays. */
  delayMs = 0;
  private held: (() => void)[] | undefined;
  private isLost: ((reply: Buffer) => boolean) | undefined;
  private lostCount = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private target: Target,
  ) {
    server.on('connection', (client) => this.join(client));
  }

  static async start(target: Target): Promise<TcpProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, target);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** How many pieces of what the server said were swallowed so far. */
  get repliesSwallowed(): number {
    return this.lostCount;
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

  /**
   * The server hears everything, and what it says is lost, from the first reply on that is `isFirst`
   * until the connections are `cut`.
   */
  swallowReplies(isFirst: (reply: Buffer) => boolean = () => true): void {
    this.isLost = (reply) => {
      if (isFirst(reply)) {
        this.isLost = () => true;
        return true;
      }
      return false;
    };
  }

  /** Ends every connection, as a network does that breaks. */
  cut(): void {
    this.held = undefined;
    this.isLost = undefined;
    this.sockets.forEach((socket) => socket.destroy());
  }

  /** Cuts, and leads every later connection to another server. */
  leadTo(target: Target): void {
    this.target = target;
    this.cut();
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private join(client: Socket): void {
    const server = connect(this.target.port, this.target.host);
    this.forward(client, server, () => false);
    this.forward(server, client, (reply) => this.isLost?.(reply) ?? false);
  }

  private forward(from: Socket, to: Socket, isLost: (data: Buffer) => boolean): void {
    this.sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (data) => {
      if (isLost(data)) {
        this.lostCount += 1;
      } else {
        this.pass(() => to.write(data));
      }
    });
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
