import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { Config } from '#platform/config/config.ts';
import type { TrustedProxies } from '#platform/config/trusted-proxies.ts';
import { BrokenConnections } from './connection/broken-connections.ts';
import type { CrossOrigin } from './cross-origin/cross-origin.ts';
import { readJsonBodies } from './request/json-body.ts';
import { bodyBytesMax, headerBytesMax, overdueCheckMs, pathParameterLengthMax } from './limits.ts';
import { sendProblem, toProblem } from './problem/problem.filter.ts';
import { newRequestId } from './request/request-id.ts';
import { UnreadAnswers } from './connection/unread-answers.ts';
import { sendSecurityHeaders } from './security-headers.ts';
import { refuseMalformedRequests } from './request/well-formed-requests.ts';

type FrontConfig = Pick<
  Config,
  | 'API_REQUEST_TIMEOUT_MS'
  | 'API_HEADERS_TIMEOUT_MS'
  | 'API_IDLE_TIMEOUT_MS'
  | 'API_ANSWER_TIMEOUT_MS'
  | 'TRUST_PROXY'
>;

/** Fastify with our limits, whose own errors, met before any route, are problems as well. */
export async function createFastifyAdapter(
  config: FrontConfig,
  crossOrigin: CrossOrigin,
): Promise<FastifyAdapter> {
  const brokenConnections = new BrokenConnections();
  const adapter = new FastifyAdapter({
    http: {
      // TRAP: Node swaps the two where the first is longer, and looks every 30 s unless it is told
      // otherwise: "10 s" was between 23 and 90 s.
      headersTimeout: config.API_HEADERS_TIMEOUT_MS,
      requestTimeout: config.API_REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: overdueCheckMs,
      maxHeaderSize: headerBytesMax,
      // Checked by us: Node answers it with an empty body.
      requireHostHeader: false,
    },
    requestTimeout: config.API_REQUEST_TIMEOUT_MS,
    keepAliveTimeout: config.API_IDLE_TIMEOUT_MS,
    bodyLimit: bodyBytesMax,
    // TRAP: where hops are counted, who comes to us past the proxies chooses his address.
    trustProxy: trusted(config.TRUST_PROXY),
    forceCloseConnections: 'idle',
    genReqId: newRequestId,
    routerOptions: { maxParamLength: pathParameterLengthMax },
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      sendProblem(reply, request.id, toProblem(error));
    },
    clientErrorHandler: (error, socket) =>
      // Fastify's own type of it does not know that the packet is a buffer.
      brokenConnections.reject(socket, error as NodeJS.ErrnoException),
  });
  const fastify = adapter.getInstance();
  sendSecurityHeaders(fastify);
  await crossOrigin.allow(fastify);
  refuseMalformedRequests(fastify);
  readJsonBodies(fastify);
  brokenConnections.watch(fastify.server);
  new UnreadAnswers(config.API_ANSWER_TIMEOUT_MS).watch(fastify.server);
  return adapter;
}

function trusted(proxies: TrustedProxies) {
  return typeof proxies === 'number'
    ? (_address: string, hop: number) => hop < proxies
    : proxies.length > 0 && [...proxies];
}
