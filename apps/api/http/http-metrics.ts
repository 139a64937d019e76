import type { FastifyInstance } from 'fastify';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';

const durationBucketsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Counts and times every request by route and status, by hand: see docs/architecture.md. */
export function measureRequests(fastify: FastifyInstance, telemetry: Telemetry): void {
  const duration = telemetry.meter.createHistogram('http_server_request_duration_seconds', {
    description: 'Time from the first byte of a request to the last of its answer.',
    advice: { explicitBucketBoundaries: durationBucketsSeconds },
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    duration.record(reply.elapsedTime / 1_000, {
      method: request.method,
      route: request.routeOptions.url ?? 'unknown',
      status: reply.statusCode,
    });
    done();
  });
}
