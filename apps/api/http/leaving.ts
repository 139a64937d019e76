import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/** For how long clients are told; a busy one asks within that time. */
const leaveMs = 500;

/**
 * What comes before the server is closed. Closing a connection that its client takes for open would cut
 * off a request that is on its way, so each client is told with its next answer to connect anew.
 */
export class Leaving {
  private hasBegun = false;

  constructor(fastify: FastifyInstance) {
    fastify.addHook('onSend', (_request, reply, payload, done) => {
      if (this.hasBegun) {
        reply.header('connection', 'close');
      }
      done(null, payload);
    });
  }

  async tellClients(): Promise<void> {
    this.hasBegun = true;
    await delay(leaveMs);
  }
}
