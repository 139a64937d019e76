import type { ServerResponse } from 'node:http';

export const eventStreamHeaders = {
  'content-type': 'text/event-stream',
  // A proxy that compresses would keep events until it has enough of them.
  'cache-control': 'no-store, no-transform',
  // nginx, and who does as it does, would keep them as well.
  'x-accel-buffering': 'no',
} as const;

export interface StreamEvent {
  event: string;
  id?: string;
  data: object;
}

/** Events for one client (WHATWG server-sent events), and a sign of life in between. */
export class EventStream {
  private readonly heartbeat: NodeJS.Timeout;

  /**
   * Answers with the headers, at once. `retryMs`: when to connect anew, should it break. `heartbeatMs`:
   * proxies end what is silent for a minute; many for half of it.
   */
  constructor(
    private readonly response: ServerResponse,
    retryMs: number,
    heartbeatMs: number,
  ) {
    response.writeHead(200, eventStreamHeaders);
    this.retryAfter(retryMs);
    this.heartbeat = setInterval(() => this.write(':\n\n'), heartbeatMs);
    response.once('close', () => clearInterval(this.heartbeat));
  }

  /** Also when the client went away. */
  get isClosed(): boolean {
    return this.response.writableEnded || this.response.destroyed;
  }

  send({ event, id, data }: StreamEvent): void {
    const lines = [
      `event: ${event}`,
      ...(id === undefined ? [] : [`id: ${id}`]),
      `data: ${JSON.stringify(data)}`,
    ];
    this.write(`${lines.join('\n')}\n\n`);
  }

  /** When a client that was cut off is to connect anew. */
  retryAfter(ms: number): void {
    this.write(`retry: ${ms}\n\n`);
  }

  end(): void {
    clearInterval(this.heartbeat);
    this.response.end();
  }

  private write(text: string): void {
    if (!this.isClosed) {
      this.response.write(text);
    }
  }
}
