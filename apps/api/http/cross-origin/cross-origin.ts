import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { FastifyCorsOptions } from '@fastify/cors';
import type { FastifyInstance } from 'fastify';
import type { Config } from '#platform/config/config.ts';
import { anyOrigin } from '#platform/config/allowed-origins.ts';

export type CrossOriginConfig = Pick<Config, 'CORS_ALLOWED_ORIGINS' | 'CORS_CREDENTIALS'>;

/** What a page may read besides the few headers that it may always. */
const exposedHeaders = [
  'Location',
  'Retry-After',
  'Retry-After-Ms',
  'ETag',
  'RateLimit',
  'RateLimit-Policy',
  'X-Should-Retry',
  'Poll-After-Ms',
  'Idempotent-Replayed',
  'Preference-Applied',
  'Allow',
];
const allowedHeaders = [
  'Content-Type',
  'Prefer',
  'Idempotency-Key',
  'Authorization',
  'If-None-Match',
  'Last-Event-ID',
  'traceparent',
];
/** As long as browsers believe it: two hours. */
const maxAgeSeconds = 7_200;

/** Lets pages of these origins call the api (CORS); without any, browsers keep every page out. */
export class CrossOrigin {
  private readonly origins: readonly string[];

  constructor(private readonly config: CrossOriginConfig) {
    this.origins = config.CORS_ALLOWED_ORIGINS;
  }

  /** To be called before there are routes and other hooks: what they refuse must be readable, too. */
  async allow(fastify: FastifyInstance): Promise<void> {
    if (this.origins.length === 0) {
      return;
    }
    const { default: cors } = await import('@fastify/cors');
    const options: FastifyCorsOptions = {
      origin: this.allowsAny ? anyOrigin : [...this.origins],
      credentials: this.config.CORS_CREDENTIALS,
      methods: ['GET', 'HEAD', 'POST'],
      exposedHeaders,
      allowedHeaders,
      maxAge: maxAgeSeconds,
      // An OPTIONS that is no preflight is answered as one; else it would get a text that is no problem.
      strictPreflight: false,
    };
    await fastify.register(cors, options);
  }

  /** For an answer past the framework. */
  headersFor({ headers: { origin } }: IncomingMessage): OutgoingHttpHeaders {
    if (origin === undefined || this.origins.length === 0) {
      return {};
    }
    return {
      ...(this.allowsAny ? {} : { vary: 'Origin' }),
      ...(this.allowsAny || this.origins.includes(origin)
        ? { 'access-control-allow-origin': this.allowsAny ? anyOrigin : origin }
        : {}),
      ...(this.config.CORS_CREDENTIALS ? { 'access-control-allow-credentials': 'true' } : {}),
      'access-control-expose-headers': exposedHeaders.join(', '),
    };
  }

  private get allowsAny(): boolean {
    return this.origins[0] === anyOrigin;
  }
}
