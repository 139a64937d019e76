import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { z } from 'zod';
import type { ProblemCode } from './problem.ts';
import { problemKinds } from './problem.ts';

const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(problemKinds) as [ProblemCode, ...ProblemCode[]]),
    detail: z.string(),
    request_id: z.string(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
    issuance_id: z.uuid().optional(),
    opens_at: z.iso.datetime().optional(),
  })
  .meta({ id: 'Problem' });

/** Documents the problems of a route: one response a status, naming its codes. */
export function ApiProblems(...codes: ProblemCode[]): MethodDecorator {
  const byStatus = Map.groupBy(codes, (code) => problemKinds[code].status);
  return applyDecorators(
    ...[...byStatus].map(([status, ofStatus]) =>
      ApiResponse({
        status,
        description: ofStatus.map((code) => `${code}: ${problemKinds[code].title}.`).join(' '),
        standardSchema: problemSchema,
      }),
    ),
  );
}
