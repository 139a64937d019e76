import type { Server } from 'node:http';
import type { Socket } from 'node:net';

const lookEveryMs = 1_000;

/**
 * Closes connections whose answers nobody reads. Nothing waits for such a client but its answer, and
 * that would lie in memory for as long as he likes.
 */
export class UnreadAnswers {
  private readonly sockets = new Set<Socket>();
  private readonly unreadSince = new Map<Socket, number>();

  /** `timeoutMs`: an answer that is being read, however slowly, must be through by then, too. */
  constructor(private readonly timeoutMs: number) {}

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => {
        this.sockets.delete(socket);
        this.unreadSince.delete(socket);
      });
    });
    setInterval(() => this.look(), lookEveryMs).unref();
  }

  private look(): void {
    const now = performance.now();
    for (const socket of this.sockets) {
      if (socket.writableLength === 0) {
        this.unreadSince.delete(socket);
      } else if (now - (this.unreadSince.get(socket) ?? now) >= this.timeoutMs) {
        socket.destroy();
      } else if (!this.unreadSince.has(socket)) {
        this.unreadSince.set(socket, now);
      }
    }
  }
}
