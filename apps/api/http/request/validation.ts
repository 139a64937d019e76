import { StandardSchemaValidationPipe } from '@nestjs/common';
import type { z } from 'zod';
import type { FieldError } from '../problem/problem.ts';
import { Problem } from '../problem/problem.ts';

type Issue = Parameters<
  NonNullable<
    NonNullable<ConstructorParameters<typeof StandardSchemaValidationPipe>[0]>['exceptionFactory']
  >
>[0][number];

/** No answer lists more mistakes than this; a body of 16 KiB can hold thousands. */
const errorsMax = 20;
/** Nor is a name shown that is longer than any of ours. */
const fieldLengthMax = 64;

/** Checks bodies and parameters against the zod schema in their decorator; 400 names each field. */
export function createValidationPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({ exceptionFactory: invalidRequest });
}

/** What the pipe does, for a handler that takes the request as it is; throws the same problem. */
export function validated<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (!result.success) {
    throw invalidRequest(result.error.issues);
  }
  return result.data;
}

function invalidRequest(issues: readonly Issue[]): Problem {
  return new Problem('INVALID_REQUEST', {
    detail: 'See `errors` for each field that is wrong.',
    errors: issues.slice(0, errorsMax).flatMap(toFieldErrors),
  });
}

function toFieldErrors(issue: Issue): FieldError[] {
  const { keys } = issue as { keys?: string[] };
  if (keys !== undefined) {
    return keys
      .slice(0, errorsMax)
      .map((key) => ({ field: shortened(key), message: 'is not a known field' }));
  }
  const path = (issue.path ?? []).map((segment) =>
    String(typeof segment === 'object' ? segment.key : segment),
  );
  return [{ field: path.join('.'), message: issue.message }];
}

function shortened(name: string): string {
  return name.length <= fieldLengthMax ? name : `${name.slice(0, fieldLengthMax)}…`;
}
