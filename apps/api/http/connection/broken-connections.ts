import { STATUS_CODES } from 'node:http';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { answerUnderWay } from './http-socket.ts';
import type { HttpSocket } from './http-socket.ts';
import { headerBytesMax } from '../limits.ts';
import { bodyTooLarge, notImplemented, uriTooLong } from '../problem/framework-problems.ts';
import { Problem, inAMoment, problemDocument, problemHeaders } from '../problem/problem.ts';
import { newRequestId } from '../request/request-id.ts';

/** So long what still comes is thrown away: an answer is lost when bytes meet a closed connection. */
const lingerMs = 1_000;

/**
 * What Node would answer by itself, with an empty body or not at all: requests that its parser cannot
 * read, that are too large or take too long to arrive, and two kinds that it keeps from a framework.
 */
export class BrokenConnections {
  private readonly rejected = new WeakSet<Duplex>();

  watch(server: Server): void {
    server.on('checkExpectation', (_request, response) => {
      const problem = expectationFailed();
      // Nobody knows whether its body will follow, and so where the next request begins.
      response.shouldKeepAlive = false;
      const { body, headers } = written(problem);
      response.writeHead(problem.getStatus(), headers).end(body);
    });
    server.on('connect', (_request, socket: HttpSocket) => {
      // TRAP: Node has taken its own listener away by now; without one a reset would end this process.
      socket.on('error', () => socket.destroy());
      socket.resume();
      this.answer(socket, notImplemented());
    });
  }

  /** For an error of the connection, or of the parser, which may be told many times. */
  reject(socket: Socket, error: ConnectionError): void {
    if (!this.rejected.has(socket)) {
      this.rejected.add(socket);
      this.answer(socket, connectionProblem(error));
    }
  }

  private answer(socket: HttpSocket, problem: Problem): void {
    const underWay = answerUnderWay(socket);
    const wasAnsweredBefore = socket.parser?.incoming?.complete === false;
    if (underWay?.req.complete === true) {
      // The request before this one is being worked on: it must not take this for its answer.
      underWay.once('close', () => this.answer(socket, problem));
    } else if (underWay === undefined ? wasAnsweredBefore : underWay.headersSent) {
      socket.destroy();
    } else {
      this.say(socket, problem);
    }
  }

  /** There is no request, so there is no reply object to answer with. */
  private say(socket: Duplex, problem: Problem): void {
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const status = problem.getStatus();
    const { body, headers } = written(problem);
    const lines = Object.entries({ ...headers, connection: 'close' }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
    setTimeout(() => socket.destroy(), lingerMs).unref();
  }
}

function written(problem: Problem): { body: string; headers: Record<string, string | number> } {
  const body = JSON.stringify(problemDocument(newRequestId(), problem));
  const headers = { ...problemHeaders(problem), 'content-length': Buffer.byteLength(body) };
  return { body, headers };
}

export function expectationFailed(): Problem {
  return new Problem('EXPECTATION_FAILED', {
    detail: 'The only value of the header Expect that is understood is 100-continue.',
  });
}

/** What Node says of a connection that it cannot go on with. */
export interface ConnectionError {
  code?: string | undefined;
  /** What was read last, and how much of it could be understood. */
  rawPacket?: Buffer | undefined;
  bytesParsed?: number | undefined;
}

export function connectionProblem(error: ConnectionError): Problem {
  switch (error.code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return requestTimeout();
    case 'HPE_HEADER_OVERFLOW':
      return isInTarget(error) ? uriTooLong() : headersTooLarge();
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return bodyTooLarge();
    case 'HPE_PAUSED_H2_UPGRADE':
      return unknownVersion();
    case 'HPE_INVALID_VERSION':
      return /HTTP\/\d\.\d\r?$/.test(lineOf(error)) ? unknownVersion() : invalid();
    case 'HPE_INVALID_METHOD':
      return requestLine.test(lineOf(error)) ? notImplemented() : invalid();
    default:
      return invalid();
  }
}

/** RFC 9110, 5.6.2: what a method is made of. */
const requestLine = /^[!#$%&'*+.^_`|~\w-]+ \S+ HTTP\/\d\.\d\r?$/;

/**
 * The line in which Node's parser stopped, in so far as it was read at once: a packet is all that is
 * handed on.
 */
function lineOf({ rawPacket = Buffer.alloc(0), bytesParsed = 0 }: ConnectionError): string {
  const begin = bytesParsed === 0 ? 0 : rawPacket.lastIndexOf('\n', bytesParsed - 1) + 1;
  const end = rawPacket.indexOf('\n', bytesParsed);
  return rawPacket.toString('latin1', begin, end === -1 ? undefined : end);
}

/** Whether it is the first line that has no end; of one that came in pieces nobody can tell. */
function isInTarget(error: ConnectionError): boolean {
  return /^[A-Z-]+ [^\s]{100}/.test(lineOf(error));
}

/**
 * It may be as valid as any: a process that stood still finds it overdue when it wakes. Nothing was done
 * about it, so it may be sent again.
 */
export function requestTimeout(): Problem {
  return new Problem('REQUEST_TIMEOUT', {
    detail: 'The request took too long to arrive. Nothing was done about it.',
    retryAfterSeconds: inAMoment(),
  });
}

export function headersTooLarge(): Problem {
  return new Problem('HEADERS_TOO_LARGE', {
    detail: `The headers may have at most ${headerBytesMax} bytes together.`,
  });
}

export function unknownVersion(): Problem {
  return new Problem('HTTP_VERSION_NOT_SUPPORTED', {
    detail: 'This server speaks HTTP/1.1 and HTTP/1.0.',
  });
}

function invalid(): Problem {
  return new Problem('INVALID_REQUEST', { detail: 'This is not a valid HTTP request.' });
}
