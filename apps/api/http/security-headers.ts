import type { FastifyInstance } from 'fastify';

/**
 * What `@fastify/helmet` would say of an api: made once, for its way of setting them costs as much as
 * the rest of a request without stores. Nothing here is to be shown in a page, framed, or guessed at.
 */
const fixedHeaders = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  // Browsers heed it only where TLS was spoken, by whoever stands before us.
  'strict-transport-security': 'max-age=31536000',
} as const;

/** `/docs` is the one page: its own scripts, and the styles that Swagger UI has in itself. */
const documentHeaders = {
  ...fixedHeaders,
  'content-security-policy':
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
} as const;

export function sendSecurityHeaders(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', ({ url }, reply, done) => {
    reply.headers(url.startsWith('/docs') ? documentHeaders : fixedHeaders);
    done();
  });
}
