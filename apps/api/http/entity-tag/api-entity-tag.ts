import { applyDecorators } from '@nestjs/common';
import type { ApiResponseNoStatusOptions } from '@nestjs/swagger';
import { ApiHeader, ApiResponse } from '@nestjs/swagger';

type Headers = NonNullable<ApiResponseNoStatusOptions['headers']>;

/** Headers of an answer that no cache may keep, and that its client may ask for by its tag. */
export const keptByClients: Headers = {
  ETag: {
    description: 'Names what was answered; for If-None-Match.',
    required: true,
    schema: { type: 'string' },
  },
  'Cache-Control': {
    description: 'No cache may keep it.',
    required: true,
    schema: { type: 'string', enum: ['no-store'] },
  },
};

/** Documents that a client which names the tag of what it has is not sent it again. */
export function ApiNotModified(headers: Headers = {}): MethodDecorator {
  return applyDecorators(
    ApiHeader({
      name: 'If-None-Match',
      description: 'The ETag of an answer that the client still has.',
      required: false,
    }),
    ApiResponse({
      status: 304,
      description: 'It is as it was when that ETag was given.',
      headers: { ...keptByClients, ...headers },
    }),
  );
}
