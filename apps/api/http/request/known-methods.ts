import { METHODS } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { noSuchRoute } from '../problem/framework-problems.ts';
import { Problem } from '../problem/problem.ts';
import { sendProblem } from '../problem/problem.filter.ts';

/** For these Node has no request to answer, or somebody else answers it. */
const notForRoutes = new Set(['CONNECT', 'PRI']);

/**
 * 405 and `Allow` for a route that does not know the method: a client that asks in the wrong way must
 * not take the route for missing. HEAD is known where GET is; OPTIONS nowhere, since it has nothing
 * to tell.
 */
export class KnownMethods {
  private readonly byRoute = new Map<string, Set<string>>();

  /** To be made before there are routes. */
  constructor(private readonly fastify: FastifyInstance) {
    METHODS.filter((method) => !notForRoutes.has(method))
      .filter((method) => !fastify.supportedMethods.includes(method))
      .forEach((method) => fastify.addHttpMethod(method));
    fastify.addHook('onRoute', ({ url, method }) => {
      const known = this.byRoute.get(url) ?? new Set();
      [method].flat().forEach((each) => known.add(each));
      this.byRoute.set(url, known);
    });
  }

  /** To be called when all routes are there. */
  refuseOthers(): void {
    for (const [url, known] of this.byRoute) {
      const allow = [...known].sort();
      const others = this.fastify.supportedMethods.filter((method) => !known.has(method));
      if (others.length === 0) {
        continue;
      }
      this.fastify.route({
        url,
        method: others,
        // Before a body is read: nobody wants it.
        onRequest: (request, reply) => sendProblem(reply, request.id, refusal(request, allow)),
        handler: () => undefined,
      });
    }
  }
}

/** The router takes nothing at all for a parameter, too: such a path is none that GET knows. */
function refusal({ params }: FastifyRequest, allow: string[]): Problem {
  const hasEmptyParameter = Object.values(params as Record<string, string>).includes('');
  return hasEmptyParameter ? noSuchRoute() : methodNotAllowed(allow);
}

export function methodNotAllowed(allow: string[]): Problem {
  return new Problem('METHOD_NOT_ALLOWED', {
    detail: 'This path is known, but not with this method; the header Allow names those it has.',
    allow,
  });
}
