import type { OpenAPIObject } from '@nestjs/swagger';
import { problemResponses } from '../http/problem/api-problems.ts';
import type { ProblemCode } from '../http/problem/problem.ts';
import { isForNamedUser, neededScope } from '../identity/route-rules.ts';

const methods = ['get', 'head', 'post', 'put', 'patch', 'delete'] as const;

export const securitySchemes = {
  token: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'Of a user; asked for only where identity is on. Its `sub` is the user: `user_id` of a body may be left out then, and another one is 403.',
  },
  api_key: {
    type: 'http',
    scheme: 'bearer',
    description:
      'Of a machine, as `firstcome keys create` prints it; asked for only where identity is on.',
  },
} as const;

/** `{}` first: as firstcome comes, nobody is asked. */
const whoever = [{}, { token: [] }, { api_key: [] }];

/** Of who is not let in; what else may be answered is said where the route is. */
function refusals(route: string): object {
  const named: ProblemCode[] = isForNamedUser(route) ? ['USER_MISMATCH'] : [];
  return Object.fromEntries(
    [...problemResponses(['UNAUTHENTICATED', 'SCOPE_MISSING', ...named])].filter(
      ([status]) => status === 401 || status === 403,
    ),
  );
}

/** The same paths, and of those that ask who asks, how to say it and what comes of not being let in. */
export function withSecurity(paths: OpenAPIObject['paths']): OpenAPIObject['paths'] {
  return Object.fromEntries(
    Object.entries(paths).map(([path, item]) => {
      const route = path.replaceAll(/\{(\w+)\}/g, ':$1');
      const asking = methods.flatMap((method) => {
        const operation = item[method as 'get'];
        return operation === undefined || neededScope(method.toUpperCase(), route) === undefined
          ? []
          : [
              [
                method,
                {
                  ...operation,
                  security: whoever,
                  responses: { ...operation.responses, ...refusals(route) },
                },
              ] as const,
            ];
      });
      return [path, { ...item, ...Object.fromEntries(asking) }];
    }),
  );
}
