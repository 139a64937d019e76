import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What Node's own handler of errors looks at; nobody has to keep it up to date for each request. */
export interface HttpSocket extends Socket {
  /** The answer that has its turn on this connection. */
  _httpMessage?: ServerResponse | null;
  /** Has the request that is being read, until it is there and answered. */
  parser?: { incoming: IncomingMessage | null } | null;
}

/** The answer that is being made, from when the headers of its request are there. */
export function answerUnderWay(socket: HttpSocket): ServerResponse | undefined {
  // oxlint-disable-next-line no-underscore-dangle -- Node's name
  return socket._httpMessage ?? undefined;
}
