import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { retryAfterLeastSeconds } from './overloaded.ts';

/** Who waits as long as he was told to never notices. */
const restMaxMs = retryAfterLeastSeconds * 1_000;
const tickMs = 10;
/** Sending one away costs about a fifth of serving one: a fiftieth of the time goes into it. */
const sentAwayForEachServed = 0.1;

interface Rest {
  socket: Socket;
  endsAt: number;
}

/**
 * Connections that are not read for a moment. Whoever is sent away and asks again at once, on the
 * same connection, would keep the process busy with sending him away; so he is heard when it is his
 * turn: one for every ten that were served, but none later than after a second. On a slow machine
 * fewer are served, and so fewer are sent away.
 */
export class ConnectionRests {
  private readonly resting: Rest[] = [];
  private turns = 0;
  private timer: NodeJS.Timeout | undefined;

  /**
   * The connection of somebody who is sent away rests as soon as his request and the answer to it are
   * over.
   */
  beginAfter(request: IncomingMessage, response: ServerResponse): void {
    // Node reads on when a request ends, to find the next one: pause after that, but still in this
    // turn. A thousand connections that ask again at once would make one turn of the event loop last
    // for seconds, for it comes to its timers only when there is nothing left to read.
    const last = request.closed ? response : request;
    last.once('close', () => process.nextTick(() => this.begin(request.socket)));
  }

  served(): void {
    this.turns += sentAwayForEachServed;
  }

  private begin(socket: Socket): void {
    socket.pause();
    this.resting.push({ socket, endsAt: performance.now() + restMaxMs });
    if (this.timer === undefined) {
      this.turns = 0;
      this.timer = setInterval(() => this.resumeDue(), tickMs);
    }
  }

  private resumeDue(): void {
    const now = performance.now();
    const firstToStay = this.resting.findIndex(({ endsAt }, i) => i >= this.turns && endsAt > now);
    const due = this.resting.splice(0, firstToStay === -1 ? Infinity : firstToStay);
    due.forEach(({ socket }) => socket.resume());
    this.turns = 0;
    if (this.resting.length === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
    }
  }
}
