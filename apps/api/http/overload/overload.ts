import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { Config } from '#platform/config/config.ts';
import type { Failure } from '#platform/failures/failure.ts';
import type { Failures } from '#platform/failures/failures.ts';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';
import type { CrossOrigin } from '../cross-origin/cross-origin.ts';
import { ConnectionPlaces } from './connection-places.ts';
import { ConnectionRests } from './connection-rests.ts';
import { LoadLimit } from './load-limit.ts';
import { sendOverloaded } from './overloaded.ts';

declare module 'fastify' {
  interface FastifyRequest {
    leavePlace: (() => void) | undefined;
  }
}

/**
 * Of the mean: the slowest of a hundred take some times as long, and are to stay below 500 ms. With
 * 150 ms, and so three times as many requests held in memory, a sixth less was served.
 */
const targetMs = 50;
const assignsLeast = 250;
const readsLeast = 50;
const redemptionsLeast = 100;
/** The files of `/docs` are large: many at once, and those who read them slowly, hold up everybody. */
const documentsLeast = 5;
const documentsMost = 20;
const documentTargetMs = 500;
const adjustEveryMs = 100;

/** Puts `Overload` before and into a Fastify that has no routes yet. */
export function shedOverload(
  fastify: FastifyInstance,
  config: OverloadConfig,
  crossOrigin: CrossOrigin,
  telemetry: Telemetry,
  failures: Failures,
): void {
  const overload = new Overload(config, crossOrigin, telemetry, failures);
  overload.standBefore(fastify.server);
  overload.giveOutPlaces(fastify);
}

type OverloadConfig = Pick<
  Config,
  'ASSIGN_IN_FLIGHT_MAX' | 'READ_IN_FLIGHT_MAX' | 'API_CONNECTIONS_MAX'
>;

/**
 * Answers 503 OVERLOADED at once where more is asked than can be done in time: while all places are
 * taken before a body is read, before a route is looked for. A place is taken by a request that is
 * there, with its body, and left when its answer is made: neither who is slow to send nor who is slow
 * to read keeps anybody out. Assigns, redemptions, reads and documents are counted apart, so that none
 * keeps another out; health checks always get through.
 */
class Overload {
  private readonly assigns: LoadLimit;
  private readonly redemptions: LoadLimit;
  private readonly reads: LoadLimit;
  private readonly documents: LoadLimit;
  private readonly shedOf: ReadonlyMap<LoadLimit, Failure>;
  private readonly rests = new ConnectionRests();
  private adjustedAt = performance.now();

  constructor(
    private readonly config: OverloadConfig,
    private readonly crossOrigin: CrossOrigin,
    telemetry: Telemetry,
    private readonly failures: Failures,
  ) {
    this.assigns = new LoadLimit({
      least: assignsLeast,
      most: config.ASSIGN_IN_FLIGHT_MAX,
      targetMs,
    });
    this.redemptions = new LoadLimit({
      least: redemptionsLeast,
      most: config.READ_IN_FLIGHT_MAX,
      targetMs,
    });
    this.reads = new LoadLimit({ least: readsLeast, most: config.READ_IN_FLIGHT_MAX, targetMs });
    this.documents = new LoadLimit({
      least: documentsLeast,
      most: documentsMost,
      targetMs: documentTargetMs,
    });
    this.shedOf = new Map([
      [this.assigns, { cause: 'assign_shed' }],
      [this.redemptions, { cause: 'redemption_shed' }],
      [this.reads, { cause: 'read_shed' }],
      [this.documents, { cause: 'document_shed' }],
    ]);
    this.observe(telemetry);
    setInterval(() => this.adjust(), adjustEveryMs).unref();
  }

  /** Fastify's own hooks come after it has made its objects of a request, which is half the cost. */
  standBefore(server: Server): void {
    const [serve] = server.listeners('request') as RequestListener[];
    if (serve === undefined) {
      throw new Error('the server has nobody who answers requests');
    }
    server.removeAllListeners('request');
    server.on('request', (request, response) => {
      const limit = this.limitOf(request.method, request.url);
      if (limit?.hasRoom() === false) {
        this.sendAway(limit, request, response);
      } else {
        serve(request, response);
      }
    });
    new ConnectionPlaces(this.config.API_CONNECTIONS_MAX).watch(server);
  }

  giveOutPlaces(fastify: FastifyInstance): void {
    fastify.decorateRequest('leavePlace', undefined);
    // The first hook that comes when the body has arrived.
    fastify.addHook('preValidation', (request, reply, done) => {
      const limit = this.limitOf(request.method, request.routeOptions.url ?? request.url);
      if (limit?.tryBegin() === false) {
        reply.hijack();
        this.sendAway(limit, request.raw, reply.raw);
        return;
      }
      if (limit !== undefined) {
        request.leavePlace = this.placeOf(limit);
        // Who goes before his answer has come.
        reply.raw.once('close', request.leavePlace);
      }
      done();
    });
    fastify.addHook('onSend', (request, _reply, payload, done) => {
      // A file is work for as long as it is sent.
      if (!(payload instanceof Readable)) {
        request.leavePlace?.();
      }
      done(null, payload);
    });
  }

  /** To be called when the place is left; may be called again. */
  private placeOf(limit: LoadLimit): () => void {
    const beganAt = performance.now();
    let isLeft = false;
    return () => {
      if (!isLeft) {
        isLeft = true;
        limit.end(performance.now() - beganAt);
        this.rests.served();
      }
    };
  }

  private sendAway(limit: LoadLimit, request: IncomingMessage, response: ServerResponse): void {
    this.failures.note('OVERLOADED', this.shedOf.get(limit)!);
    this.rests.beginAfter(request, response);
    sendOverloaded(response, this.crossOrigin.headersFor(request));
  }

  private limitOf(method: string | undefined, url: string | undefined): LoadLimit | undefined {
    // TRAP: every other POST counts as an assign; a new POST route would take the places of assigns.
    if (method === 'POST') {
      return url?.startsWith('/api/v1/issuances/') ? this.redemptions : this.assigns;
    }
    // TRAP: whatever begins with /health is never sent away; only what costs nothing may.
    if (url?.startsWith('/health')) {
      return undefined;
    }
    return url?.startsWith('/docs') ? this.documents : this.reads;
  }

  private adjust(): void {
    const now = performance.now();
    const delayMs = Math.max(0, now - this.adjustedAt - adjustEveryMs);
    this.adjustedAt = now;
    this.assigns.adjust(delayMs);
    this.redemptions.adjust(delayMs);
    this.reads.adjust(delayMs);
    this.documents.adjust(delayMs);
  }

  private observe({ observed }: Telemetry): void {
    const kinds = Object.entries({
      assign: this.assigns,
      redemption: this.redemptions,
      read: this.reads,
      document: this.documents,
    });
    observed.counter(
      'firstcome_requests_shed_total',
      'Requests answered 503 OVERLOADED before anything was done about them.',
      (observe) => kinds.forEach(([kind, limit]) => observe(limit.shed, { kind })),
    );
    observed.gauge(
      'firstcome_requests_in_flight_limit',
      'How many requests the api works on at once, as things are.',
      (observe) => kinds.forEach(([kind, limit]) => observe(limit.current, { kind })),
    );
  }
}
