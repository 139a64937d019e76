import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { bodyBytesMax, pathParameterLengthMax, requestTimeoutMs } from './limits.ts';
import { overloaded } from './overloaded.ts';
import { Problem } from './problem.ts';
import { problemDocument, sendProblem, toProblem } from './problem.filter.ts';

const processId = randomUUID();
let requests = 0;

/** Unique among all processes; a UUID for each request would be a thirtieth of its garbage. */
function newRequestId(): string {
  requests += 1;
  return `${processId}-${requests}`;
}

/** Fastify with our limits, whose own errors, met before any route, are problems as well. */
export function createFastifyAdapter(): FastifyAdapter {
  const adapter = new FastifyAdapter({
    bodyLimit: bodyBytesMax,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: 'idle',
    genReqId: newRequestId,
    routerOptions: { maxParamLength: pathParameterLengthMax },
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      sendProblem(reply, request.id, toProblem(error));
    },
    clientErrorHandler: (error: NodeJS.ErrnoException, socket: Socket) =>
      rejectConnection(socket, connectionProblem(error)),
  });
  // Now JSON is the only body that the api reads: anything else is 415, not a surprise.
  adapter.getInstance().removeContentTypeParser('text/plain');
  return adapter;
}

/**
 * A request that took too long to arrive may be as valid as any: a process that stood still finds it
 * overdue when it wakes. Nothing was done about it, so it may be sent again.
 */
export function connectionProblem({ code }: { code?: string | undefined }): Problem {
  return code === 'ERR_HTTP_REQUEST_TIMEOUT'
    ? overloaded()
    : new Problem('INVALID_REQUEST', { detail: 'This is not a valid HTTP request.' });
}

/** There is no request yet, so there is no reply object to answer with. */
function rejectConnection(socket: Socket, problem: Problem): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const status = problem.getStatus();
  const { retryAfterSeconds } = problem.details;
  const retryAfter = retryAfterSeconds === undefined ? '' : `Retry-After: ${retryAfterSeconds}\r\n`;
  const body = JSON.stringify(problemDocument(newRequestId(), problem));
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n${retryAfter}Connection: close\r\n\r\n${body}`,
  );
}
