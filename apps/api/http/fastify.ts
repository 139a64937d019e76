import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { BrokenConnections } from './connection/broken-connections.ts';
import { readJsonBodies } from './request/json-body.ts';
import {
  bodyBytesMax,
  headerBytesMax,
  idleTimeoutMs,
  overdueCheckMs,
  pathParameterLengthMax,
  requestTimeoutMs,
} from './limits.ts';
import { sendProblem, toProblem } from './problem/problem.filter.ts';
import { newRequestId } from './request/request-id.ts';
import { UnreadAnswers } from './connection/unread-answers.ts';
import { refuseMalformedRequests } from './request/well-formed-requests.ts';

/** Fastify with our limits, whose own errors, met before any route, are problems as well. */
export function createFastifyAdapter(): FastifyAdapter {
  const brokenConnections = new BrokenConnections();
  const adapter = new FastifyAdapter({
    http: {
      // TRAP: of the two Node takes the smaller one for the headers alone, and looks every 30 s unless
      // it is told otherwise: "10 s" was between 23 and 90 s.
      headersTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: overdueCheckMs,
      maxHeaderSize: headerBytesMax,
      // Checked by us: Node answers it with an empty body.
      requireHostHeader: false,
    },
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: idleTimeoutMs,
    bodyLimit: bodyBytesMax,
    forceCloseConnections: 'idle',
    genReqId: newRequestId,
    routerOptions: { maxParamLength: pathParameterLengthMax },
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      sendProblem(reply, request.id, toProblem(error));
    },
    clientErrorHandler: (error, socket) => brokenConnections.reject(socket, error),
  });
  const fastify = adapter.getInstance();
  refuseMalformedRequests(fastify);
  readJsonBodies(fastify);
  brokenConnections.watch(fastify.server);
  new UnreadAnswers().watch(fastify.server);
  return adapter;
}
