import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { bodyBytesMax, pathParameterLengthMax, requestTimeoutMs } from './limits.js';
import { Problem } from './problem.js';
import { problemDocument, sendProblem, toProblem } from './problem.filter.js';

const processId = randomUUID();
let requests = 0;

/** Unique among all processes; a UUID for each request would be a thirtieth of its garbage. */
function newRequestId(): string {
  requests += 1;
  return `${processId}-${requests}`;
}

/** Fastify with our limits, on which also the errors it meets before any route are problems. */
export function createFastifyAdapter(): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: bodyBytesMax,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: 'idle',
    genReqId: newRequestId,
    routerOptions: { maxParamLength: pathParameterLengthMax },
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      sendProblem(reply, request.id, toProblem(error));
    },
    clientErrorHandler: (_error: Error, socket: Socket) => rejectConnection(socket),
  });
}

/** Leaves JSON as the only body the api reads: anything else is 415, not a surprise. */
export function acceptJsonOnly(adapter: FastifyAdapter): void {
  const fastify = adapter.getInstance();
  fastify.removeContentTypeParser(['text/plain', 'application/x-www-form-urlencoded']);
}

/** What arrived is no HTTP request, so there is no reply object to answer with. */
function rejectConnection(socket: Socket): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const problem = new Problem('INVALID_REQUEST', { detail: 'This is not a valid HTTP request.' });
  const body = JSON.stringify(problemDocument(newRequestId(), problem));
  socket.end(
    'HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\n' +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
