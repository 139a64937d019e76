import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import type { OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { refusalReasons } from '#coupon/issuance.ts';
import type { ProblemCode } from './problem.ts';
import { problemDocument, problemHeaders, problemKinds } from './problem.ts';
import { problemExamples } from './problem-examples.ts';
import { requestIdExample } from '../examples.ts';

type Response = Extract<
  NonNullable<NonNullable<OpenAPIObject['components']>['responses']>[string],
  { description: string }
>;

export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int().min(400).max(599),
  code: z.enum(Object.keys(problemKinds) as [ProblemCode, ...ProblemCode[]]),
  detail: z.string(),
  request_id: z.string(),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  issuance_id: z.uuid().optional(),
  reason: z.enum(refusalReasons).optional(),
  opens_at: z.iso.datetime().optional(),
  redeemed_at: z.iso.datetime().optional(),
  valid_until: z.iso.datetime().optional(),
  violated_policies: z.array(z.enum(['user', 'address'])).optional(),
  probes: z.array(z.string()).optional(),
});

/** Of every code the example in the document, to which the responses refer. */
export const documentedProblems = Object.fromEntries(
  Object.entries(problemExamples).map(([code, problem]) => [
    code,
    {
      summary: problemKinds[code as ProblemCode].title,
      value: problemDocument(requestIdExample, problem),
    },
  ]),
) as Record<ProblemCode, { summary: string; value: object }>;

export function referenceToExample(code: string): string {
  return `#/components/examples/${code}`;
}

/** What any request may be answered, whatever its route. */
const anywhere: ProblemCode[] = [
  'INVALID_REQUEST',
  'REQUEST_TIMEOUT',
  'URI_TOO_LONG',
  'EXPECTATION_FAILED',
  'HEADERS_TOO_LARGE',
  'OVERLOADED',
  'INTERNAL',
  'NOT_IMPLEMENTED',
];

/** Documents the problems of a route beside those of any: one response a status, naming its codes. */
export function ApiProblems(...codes: ProblemCode[]): MethodDecorator {
  return applyDecorators(
    ...[...problemResponses(['RATE_LIMITED', ...codes])].map(([status, response]) =>
      ApiResponse({ status, ...(response as object) }),
    ),
  );
}

export function problemResponses(codes: ProblemCode[]): Map<number, Response> {
  const byStatus = Map.groupBy(
    new Set([...anywhere, ...codes]),
    (code) => problemKinds[code].status as number,
  );
  return new Map([...byStatus].map(([status, ofStatus]) => [status, problemResponse(ofStatus)]));
}

function problemResponse(codes: ProblemCode[]): Response {
  return {
    description: codes.map((code) => `${code}: ${problemKinds[code].title}.`).join(' '),
    headers: headersOf(codes),
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(
          codes.map((code) => [code, { $ref: referenceToExample(code) }]),
        ),
      },
    },
  };
}

function headersOf(codes: ProblemCode[]): NonNullable<Response['headers']> {
  const withHeader = (name: string): ProblemCode[] =>
    codes.filter((code) => name in problemHeaders(problemExamples[code]));
  const waits = withHeader('retry-after');
  const finals = withHeader('x-should-retry');
  const challenges = withHeader('www-authenticate');
  const early = codes.includes('NOT_OPEN') ? ['With NOT_OPEN until a minute before it opens.'] : [];
  return {
    ...(waits.length > 0 && {
      'Retry-After': {
        description: `Seconds to wait before the request is sent again. With ${waits.join(', ')}.`,
        required: waits.length === codes.length,
        schema: { type: 'integer', minimum: 1 },
      },
      'Retry-After-Ms': {
        description: 'The same to the millisecond, which many SDKs go by.',
        required: waits.length === codes.length,
        schema: { type: 'integer', minimum: 1 },
      },
    }),
    ...(finals.length > 0 && {
      'X-Should-Retry': {
        description: `To repeat it without being asked to is of no use. ${[`With ${finals.join(', ')}.`, ...early].join(' ')}`,
        required: finals.length === codes.length,
        schema: { type: 'string', enum: ['true', 'false'] },
      },
    }),
    ...(challenges.length > 0 && {
      'WWW-Authenticate': {
        description: `What was wrong with the token, as RFC 6750 says it. With ${challenges.join(', ')}.`,
        required: challenges.length === codes.length,
        schema: { type: 'string' },
      },
    }),
  };
}
