import type { INestApplication } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { ApiExcludeController, DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';
import { HealthController } from '#platform/health/health.controller.ts';
import { problemResponses, problemSchema } from './http/problem/api-problems.ts';
import type { ProblemCode } from './http/problem/problem.ts';

const summary = `First-come-first-served coupon issuance.

Every error is \`application/problem+json\`, also outside of these routes: an unknown path is 404
\`NOT_FOUND\`, a known one with another method 405 \`METHOD_NOT_ALLOWED\` with the header \`Allow\`.
HEAD is answered wherever GET is.`;

/** `/docs` and `/docs-json`, made from the same schemas that check the requests. */
export function serveOpenApi(app: INestApplication): void {
  const description = new DocumentBuilder()
    .setTitle('firstcome')
    .setDescription(summary)
    .setVersion('1')
    .build();
  // Here, not there: a process that serves no document need not load what writes one.
  ApiExcludeController()(HealthController);
  SwaggerModule.setup('docs', app, complete(SwaggerModule.createDocument(app, description)));
}

/** With what stands in no controller of the api: the schema of problems, and the routes of health. */
function complete(document: OpenAPIObject): OpenAPIObject {
  const { schemas } = document.components!;
  return {
    ...document,
    components: {
      ...document.components,
      schemas: { ...schemas, Problem: inOpenApi(problemSchema) },
    },
    paths: {
      ...document.paths,
      '/health/live': healthRoute('Whether the process lives', aliveSchema, []),
      '/health/ready': healthRoute('Whether to send requests here', readySchema, ['NOT_READY']),
    },
  };
}

const aliveSchema = z.object({ status: z.literal('ok') });

const probesSchema = z.record(
  z.string(),
  z.object({ status: z.enum(['up', 'degraded']), responseTime: z.number().optional() }),
);

const readySchema = z.object({
  status: z.enum(['ok', 'degraded']),
  info: probesSchema,
  error: z.object({}),
  details: probesSchema,
});

type Path = OpenAPIObject['paths'][string];

function healthRoute(description: string, answer: z.ZodType, codes: ProblemCode[]): Path {
  return {
    get: {
      tags: ['health'],
      summary: description,
      responses: {
        200: { description: '', content: { 'application/json': { schema: inOpenApi(answer) } } },
        ...Object.fromEntries(problemResponses(codes)),
      },
    },
  };
}

function inOpenApi(schema: z.ZodType): object {
  return z.toJSONSchema(schema, { target: 'openapi-3.0' });
}
