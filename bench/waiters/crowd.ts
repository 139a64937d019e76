import type { Socket } from 'node:net';
import { connect } from 'node:net';

/**
 * A process of its own: people who wait for a decision, each on a connection, in a few bytes each. The
 * first half waits by `?wait=30`, again when it is over; the other half reads events.
 */

export interface CrowdOrder {
  url: string;
  issuanceIds: string[];
  connectionsPerSecond: number;
}

export type CrowdReport =
  /** Everybody has asked. */
  | { kind: 'standing' }
  /** Milliseconds from the decision, of each who was told since the last report. */
  | { kind: 'told'; latenciesMs: number[] }
  | { kind: 'failed'; why: string };

const tickMs = 20;
const reportEveryMs = 500;

let latenciesMs: number[] = [];

function report(what: CrowdReport): void {
  process.send!(what);
}

function tell(text: string): boolean {
  const decidedAt = /"decided_at":"([^"]+)"/.exec(text)?.[1];
  if (decidedAt !== undefined) {
    latenciesMs.push(Date.now() - Date.parse(decidedAt));
  }
  return decidedAt !== undefined;
}

class Person {
  private text = '';
  private isTold = false;
  private readonly socket: Socket;

  constructor(
    { hostname, port }: URL,
    private readonly path: string,
    private readonly byEvents: boolean,
  ) {
    this.socket = connect(Number(port), hostname, () => this.ask());
    this.socket.setNoDelay(true);
    this.socket.on('data', (piece) => this.read(piece.toString('latin1')));
    this.socket.on('error', ({ message }) => report({ kind: 'failed', why: message }));
    this.socket.on('close', () => {
      if (!this.isTold) {
        report({ kind: 'failed', why: `closed, after: ${this.text.slice(0, 200)}` });
      }
    });
  }

  private ask(): void {
    const path = this.byEvents ? `${this.path}/events` : `${this.path}?wait=30`;
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: api\r\n\r\n`);
  }

  private read(piece: string): void {
    this.text += piece;
    if (tell(this.text)) {
      this.isTold = true;
      this.socket.destroy();
    } else if (this.byEvents) {
      // What may begin here ends in a piece to come.
      this.text = this.text.slice(-400);
    } else if (this.text.endsWith('}')) {
      this.askAgain();
    }
  }

  private askAgain(): void {
    if (!this.text.startsWith('HTTP/1.1 200') || !this.text.includes('"ACCEPTED"')) {
      report({ kind: 'failed', why: this.text.slice(0, 200) });
    }
    this.text = '';
    this.ask();
  }
}

process.on('message', ({ url, issuanceIds, connectionsPerSecond }: CrowdOrder) => {
  const api = new URL(url);
  const perTick = Math.ceil((connectionsPerSecond * tickMs) / 1_000);
  let next = 0;
  const connecting = setInterval(() => {
    for (const id of issuanceIds.slice(next, next + perTick)) {
      void new Person(api, `/api/v1/issuances/${id}`, next >= issuanceIds.length / 2);
      next += 1;
    }
    if (next >= issuanceIds.length) {
      clearInterval(connecting);
      report({ kind: 'standing' });
    }
  }, tickMs);
  setInterval(() => {
    if (latenciesMs.length > 0) {
      report({ kind: 'told', latenciesMs });
      latenciesMs = [];
    }
  }, reportEveryMs);
});
process.on('disconnect', () => process.exit(0));
