import { StandardSchemaValidationPipe } from '@nestjs/common';
import type { FieldError } from './problem.js';
import { Problem } from './problem.js';

type Issue = Parameters<
  NonNullable<
    NonNullable<ConstructorParameters<typeof StandardSchemaValidationPipe>[0]>['exceptionFactory']
  >
>[0][number];

/** No answer lists more mistakes than this; a body of 16 KiB can hold thousands. */
const errorsMax = 20;

/** Checks bodies and parameters against the zod schema in their decorator; 400 names each field. */
export function createValidationPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({
    exceptionFactory: (issues) =>
      new Problem('INVALID_REQUEST', {
        detail: 'See `errors` for each field that is wrong.',
        errors: issues.slice(0, errorsMax).flatMap(toFieldErrors),
      }),
  });
}

function toFieldErrors(issue: Issue): FieldError[] {
  const { keys } = issue as { keys?: string[] };
  if (keys !== undefined) {
    return keys.slice(0, errorsMax).map((field) => ({ field, message: 'is not a known field' }));
  }
  const path = (issue.path ?? []).map((segment) =>
    String(typeof segment === 'object' ? segment.key : segment),
  );
  return [{ field: path.join('.'), message: issue.message }];
}
