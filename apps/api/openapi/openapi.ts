import type { INestApplication } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { ApiExcludeController, DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';
import { HealthController } from '#platform/health/health.controller.ts';
import {
  documentedProblems,
  problemResponses,
  problemSchema,
  referenceToExample,
} from '../http/problem/api-problems.ts';
import type { ProblemCode } from '../http/problem/problem.ts';
import { securitySchemes, withSecurity } from './security.ts';

const summary = `First-come-first-served coupon issuance.

Every error is \`application/problem+json\`, also outside of these routes: an unknown path is 404
\`NOT_FOUND\`, a known one with another method 405 \`METHOD_NOT_ALLOWED\` with the header \`Allow\`.
HEAD is answered wherever GET is.`;

/** `/docs` and `/docs-json`. */
export function serveOpenApi(app: INestApplication): void {
  SwaggerModule.setup('docs', app, createOpenApi(app));
}

/**
 * The document, in OpenAPI 3.1, made from the same schemas that check the requests. `docs/openapi.json`
 * has it as well: `npm run openapi:generate` writes it anew.
 */
export function createOpenApi(app: INestApplication): OpenAPIObject {
  const description = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('firstcome')
    .setDescription(summary)
    .setVersion('1')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/')
    .build();
  // Here, not there: a process that serves no document need not load what writes one.
  ApiExcludeController()(HealthController);
  const document = SwaggerModule.createDocument(app, description, {
    // Clients that are made of the document have functions of these names.
    operationIdFactory: (_controller, method) => method,
  });
  return complete(document);
}

/** With what stands in no controller of the api: problems, and the routes of health. */
function complete(document: OpenAPIObject): OpenAPIObject {
  const { schemas } = document.components!;
  const paths = {
    ...withSecurity(document.paths),
    '/health/live': healthRoute('live', 'Whether the process lives', aliveSchema, []),
    '/health/ready': healthRoute('ready', 'Whether to send requests here', readySchema, [
      'NOT_READY',
    ]),
  };
  return {
    ...document,
    info: { ...document.info, description: [summary, ...ofNoRoute(paths)].join('\n\n') },
    components: {
      ...document.components,
      schemas: { ...schemas, Problem: inOpenApi(problemSchema) },
      examples: documentedProblems,
      securitySchemes,
    },
    paths,
  };
}

/** The problems that no operation has, each with its example, for whoever reads the page. */
function ofNoRoute(paths: OpenAPIObject['paths']): string[] {
  const shown = JSON.stringify(paths);
  return Object.entries(documentedProblems)
    .filter(([code]) => !shown.includes(`"${referenceToExample(code)}"`))
    .map(([, { summary: title, value }]) => {
      const example = JSON.stringify(value, undefined, 2);
      return `${title}:\n\n\`\`\`json\n${example}\n\`\`\``;
    });
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

function healthRoute(
  operationId: string,
  description: string,
  answer: z.ZodType,
  codes: ProblemCode[],
): Path {
  return {
    get: {
      operationId,
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
  const { $schema: _, ...inDocument } = z.toJSONSchema(schema, { target: 'draft-2020-12' });
  return inDocument;
}
