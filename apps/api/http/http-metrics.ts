import type { Attributes } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';
import { RecordedValues } from '#platform/telemetry/recorded-values.ts';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** For how long the client had asked to wait, and did: that is nobody's slowness. */
    waitedMs: number | undefined;
  }
}

const durationBucketsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

interface Durations {
  labels: Attributes;
  seconds: RecordedValues;
}

/** Counts and times every request by route and status, by hand: see docs/architecture.md. */
export function measureRequests(fastify: FastifyInstance, { observed }: Telemetry): void {
  const all = new Map<string, Durations>();
  observed.histogram(
    'http_server_request_duration_seconds',
    'Time from the first byte of a request to the last of its answer, less what it waited.',
    (observe) => all.forEach(({ labels, seconds }) => observe(seconds, labels)),
  );
  fastify.decorateRequest('waitedMs', undefined);
  fastify.addHook('onResponse', ({ method, routeOptions, waitedMs = 0 }, reply, done) => {
    const route = routeOptions.url ?? 'unknown';
    const status = reply.statusCode;
    const key = `${method} ${route} ${status}`;
    let durations = all.get(key);
    if (durations === undefined) {
      const seconds = new RecordedValues(durationBucketsSeconds);
      durations = { labels: { method, route, status }, seconds };
      all.set(key, durations);
    }
    durations.seconds.record((reply.elapsedTime - waitedMs) / 1_000);
    done();
  });
}
