import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/**
 * What comes before the server is closed. Balancers need some probes of readiness until they send nobody
 * any more, so it goes on serving meanwhile. Closing a connection that its client takes for open would cut
 * off a request that is on its way, so each client is told with its next answer to connect anew.
 */
export class Leaving {
  private hasBegun = false;

  constructor(private readonly fastify: FastifyInstance) {
    fastify.addHook('onSend', (_request, reply, payload, done) => {
      if (this.hasBegun) {
        reply.header('connection', 'close');
      }
      done(null, payload);
    });
  }

  /** Resolves when they have been told for so long. */
  async tellClients(ms: number): Promise<void> {
    this.hasBegun = true;
    // Also with the answers that are made past the framework.
    this.fastify.server.prependListener('request', (_request, response) => {
      response.shouldKeepAlive = false;
    });
    await delay(ms);
  }
}
