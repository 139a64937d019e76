import type { IncomingMessage, Server } from 'node:http';
import { answerUnderWay } from '../connection/http-socket.ts';
import type { HttpSocket } from '../connection/http-socket.ts';

/** Below this share of the places nobody need know who asked last. */
const nearlyFull = 0.5;

/**
 * So many connections, and no place for those that ask nothing: where all places are taken, who comes
 * gets the place of the connection that has begun no request for the longest time. One whose request
 * is there, with its body, keeps its place until it is answered; where all are such, who comes is
 * closed at once. So neither open connections that idle nor those that dribble keep anybody out.
 */
export class ConnectionPlaces {
  /** Who has begun no request for the longest time comes first. */
  private readonly sockets = new Set<HttpSocket>();

  constructor(private readonly most: number) {}

  watch(server: Server): void {
    // One more than stay: of those beyond it Node tells nobody.
    server.maxConnections = this.most + 1;
    server.on('connection', (socket: HttpSocket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
      if (this.sockets.size > this.most) {
        this.makeRoom();
      }
    });
    server.on('request', ({ socket }: IncomingMessage) => {
      if (this.sockets.size > this.most * nearlyFull && this.sockets.delete(socket)) {
        this.sockets.add(socket);
      }
    });
  }

  private makeRoom(): void {
    for (const socket of this.sockets) {
      if (answerUnderWay(socket)?.req.complete !== true) {
        this.sockets.delete(socket);
        socket.destroy();
        return;
      }
    }
  }
}
