import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Config } from '#platform/config.ts';
import type { Telemetry } from '#platform/telemetry.ts';
import { ConnectionRests } from './connection-rests.ts';
import { LoadLimit } from './load-limit.ts';
import { sendOverloaded } from './overloaded.ts';

/**
 * Of the mean: the slowest of a hundred take some times as long, and are to stay below 500 ms. With
 * 150 ms, and so three times as many requests held in memory, a sixth less was served.
 */
const targetMs = 50;
const assignsLeast = 250;
const readsLeast = 50;
const adjustEveryMs = 100;

/** Puts `Overload` before whoever answers the requests of a server. */
export function shedOverload(server: Server, config: OverloadConfig, telemetry: Telemetry): void {
  new Overload(config, telemetry).standBefore(server);
}

type OverloadConfig = Pick<
  Config,
  'ASSIGN_IN_FLIGHT_MAX' | 'READ_IN_FLIGHT_MAX' | 'API_CONNECTIONS_MAX'
>;

/**
 * Answers 503 OVERLOADED at once where more is asked than can be done in time: before a body is read,
 * before a route is looked for. Assigns and reads are counted apart, so that neither keeps the other
 * out; health checks always get through.
 */
class Overload {
  private readonly assigns: LoadLimit;
  private readonly reads: LoadLimit;
  private readonly rests = new ConnectionRests();
  private adjustedAt = performance.now();
  private delayMs = 0;

  constructor(
    private readonly config: OverloadConfig,
    telemetry: Telemetry,
  ) {
    this.assigns = new LoadLimit({
      least: assignsLeast,
      most: config.ASSIGN_IN_FLIGHT_MAX,
      targetMs,
    });
    this.reads = new LoadLimit({ least: readsLeast, most: config.READ_IN_FLIGHT_MAX, targetMs });
    this.observe(telemetry);
    setInterval(() => this.adjust(), adjustEveryMs).unref();
  }

  /** Fastify's own hooks come after it has made its objects of a request, which is half the cost. */
  standBefore(server: Server): void {
    server.maxConnections = this.config.API_CONNECTIONS_MAX;
    const [serve] = server.listeners('request') as RequestListener[];
    if (serve === undefined) {
      throw new Error('the server has nobody who answers requests');
    }
    server.removeAllListeners('request');
    server.on('request', (request, response) => {
      if (this.admits(request, response)) {
        serve(request, response);
      }
    });
  }

  private admits(request: IncomingMessage, response: ServerResponse): boolean {
    const limit = this.limitOf(request);
    if (limit === undefined) {
      return true;
    }
    if (!limit.tryBegin()) {
      this.rests.beginAfter(request);
      sendOverloaded(response);
      return false;
    }
    const beganAt = performance.now();
    response.once('close', () => {
      limit.end(performance.now() - beganAt);
      this.rests.served();
    });
    return true;
  }

  private limitOf(request: IncomingMessage): LoadLimit | undefined {
    // TRAP: every POST counts as an assign; another POST route would take the places of assigns.
    if (request.method === 'POST') {
      return this.assigns;
    }
    // TRAP: whatever begins with /health is never sent away; only what costs nothing may.
    return request.url?.startsWith('/health') ? undefined : this.reads;
  }

  private adjust(): void {
    const now = performance.now();
    this.delayMs = Math.max(0, now - this.adjustedAt - adjustEveryMs);
    this.adjustedAt = now;
    this.assigns.adjust(this.delayMs);
    this.reads.adjust(this.delayMs);
  }

  private observe({ meter }: Telemetry): void {
    const kinds = Object.entries({ assign: this.assigns, read: this.reads });
    meter
      .createObservableCounter('firstcome_requests_shed_total', {
        description: 'Requests answered 503 OVERLOADED before anything was done about them.',
      })
      .addCallback((result) =>
        kinds.forEach(([kind, limit]) => result.observe(limit.shed, { kind })),
      );
    meter
      .createObservableGauge('firstcome_requests_in_flight_limit', {
        description: 'How many requests the api works on at once, as things are.',
      })
      .addCallback((result) =>
        kinds.forEach(([kind, limit]) => result.observe(limit.current, { kind })),
      );
    meter
      .createObservableGauge('firstcome_event_loop_delay_seconds', {
        description: 'How late the event loop came to a timer that was due, at the last look.',
      })
      .addCallback((result) => result.observe(this.delayMs / 1_000));
  }
}
