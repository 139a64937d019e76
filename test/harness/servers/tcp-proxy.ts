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
  private breaksOff: ((reply: Buffer) => boolean) | undefined;
  private lostCount = 0;
  private readonly sockets = new Set<Socket>();
  private readonly stranded = new WeakSet<Socket>();

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

  /** Before the server that a URL names. */
  static before(serverUrl: string): Promise<TcpProxy> {
    const { hostname, port } = new URL(serverUrl);
    return TcpProxy.start({ host: hostname, port: Number(port) });
  }

  /** The URL of a server, by way of this proxy. */
  through(serverUrl: string): string {
    const url = new URL(serverUrl);
    url.host = `127.0.0.1:${this.port}`;
    return url.toString();
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

  /** The next piece that is `isIt` of what the server says gets half through, and its connection is reset. */
  breakOff(isIt: (reply: Buffer) => boolean): void {
    this.breaksOff = isIt;
  }

  /** Ends every connection, as a network does that breaks. */
  cut(): void {
    this.held = undefined;
    this.isLost = undefined;
    this.sockets.forEach((socket) => socket.destroy());
  }

  /**
   * From now on nothing gets through any connection there is, and no side is told: what the other end
   * was on has lost its power, or its network. Later connections work.
   */
  strand(): void {
    this.sockets.forEach((socket) => this.stranded.add(socket));
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
    this.forward(client, server, (data) => this.pass(() => server.write(data)));
    this.forward(server, client, (reply) => this.answer(client, reply));
  }

  private answer(client: Socket, reply: Buffer): void {
    if (this.isLost?.(reply)) {
      this.lostCount += 1;
    } else if (this.breaksOff?.(reply)) {
      this.breaksOff = undefined;
      client.write(reply.subarray(0, reply.length / 2));
      // A reset takes along what the other side has not read yet.
      setTimeout(() => client.resetAndDestroy(), 50);
    } else {
      this.pass(() => client.write(reply));
    }
  }

  private forward(from: Socket, to: Socket, onData: (data: Buffer) => void): void {
    this.sockets.add(from);
    from.setNoDelay(true);
    const unlessStranded = (tell: () => void): void => {
      if (!this.stranded.has(from)) {
        tell();
      }
    };
    from.on('data', (data) => unlessStranded(() => onData(data)));
    from.on('end', () => unlessStranded(() => this.pass(() => to.end())));
    from.on('error', () => unlessStranded(() => to.destroy()));
    from.on('close', () => {
      this.sockets.delete(from);
      unlessStranded(() => to.destroySoon());
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
