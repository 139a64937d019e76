import { readFileSync } from 'node:fs';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import { describe, expect, it } from 'vitest';
import { problemSchema } from '../http/problem/api-problems.ts';
import { assignBodyOpenApi } from '../issuance/issuance.http.ts';
import type { ProblemCode } from '../http/problem/problem.ts';
import { problemKinds } from '../http/problem/problem.ts';
import { openApiDocument } from './openapi-document.ts';

const document = JSON.parse(JSON.stringify(await openApiDocument())) as Awaited<
  ReturnType<typeof openApiDocument>
>;
const committed = readFileSync('docs/openapi.json', 'utf8');
const operations = Object.entries(document.paths).flatMap(([path, ofPath]) =>
  Object.entries(ofPath as Record<string, { responses: Record<string, object> }>).map(
    ([method, operation]) => ({ name: `${method} ${path}`, operation }),
  ),
);

describe('docs/openapi.json', () => {
  it('is what the routes say; if not: npm run openapi:generate', () => {
    expect(committed).toBe(`${JSON.stringify(document, undefined, 2)}\n`);
  });

  it('is valid OpenAPI 3.1, and its examples keep to their schemas', async () => {
    const config = await createConfig({ extends: ['spec'], rules });
    const problems = await lintFromString({ source: committed, config });
    expect(problems.map(({ message, location }) => [message, location[0]?.pointer])).toEqual([]);
    expect(document.openapi).toBe('3.1.0');
  });
});

const rules = {
  'no-unresolved-refs': 'error',
  'no-invalid-media-type-examples': 'error',
  'no-invalid-schema-examples': 'error',
  'no-invalid-parameter-examples': 'error',
  'operation-operationId': 'error',
  'operation-operationId-unique': 'error',
  'operation-operationId-url-safe': 'error',
  'operation-summary': 'error',
  'operation-2xx-response': 'error',
  'operation-4xx-response': 'error',
  'path-parameters-defined': 'error',
  'no-identical-paths': 'error',
  'no-server-trailing-slash': 'off',
} as const;

describe('every error code', () => {
  const codes = Object.keys(problemKinds) as ProblemCode[];
  const isValid = new Ajv2020({ strict: false, formats: fullFormats }).compile(
    document.components!.schemas!['Problem'] as object,
  );

  it.each(codes)('%s has an example that is a problem of this code', (code) => {
    const { value } = document.components!.examples![code] as { value: unknown };
    expect(isValid(value), JSON.stringify(isValid.errors)).toBe(true);
    expect(value).toMatchObject({ code, status: problemKinds[code].status });
    problemSchema.strict().parse(value);
  });

  it.each(codes)('%s is shown where a reader of the page meets it', (code) => {
    const shownAt = operations.filter(({ operation }) =>
      JSON.stringify(operation.responses).includes(`"#/components/examples/${code}"`),
    );
    const isDescribed = document.info.description!.includes(`"code": "${code}"`);
    expect(shownAt.length > 0 || isDescribed).toBe(true);
  });
});

it('the example of a request is for the coupon that is there', () => {
  const { properties } = assignBodyOpenApi as { properties: Record<string, { example: unknown }> };
  expect(properties['coupon_id']!.example).toBe(123);
  expect(properties['user_id']!.example).toBe('me');
  expect(committed).toContain('"example": 123');
});
