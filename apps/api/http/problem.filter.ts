import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import { Catch, HttpException, NotFoundException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '#platform/logging.ts';
import { LedgerUnavailableError } from '#ledger/ledger-connection.ts';
import { isUnavailable } from '#ledger/driver-error.ts';
import { bodyBytesMax } from './limits.ts';
import { Problem, problemKinds } from './problem.ts';

/** Turns whatever was thrown, by our code or by the framework, into one problem document. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const problem = toProblem(error);
    if (problem.code === 'INTERNAL') {
      this.logger.error({ err: error, http: { request: { id: request.id } } }, 'request failed');
    }
    sendProblem(http.getResponse<FastifyReply>(), request.id, problem);
  }
}

export function sendProblem(reply: FastifyReply, requestId: string, problem: Problem): void {
  const { retryAfterSeconds } = problem.details;
  if (retryAfterSeconds !== undefined) {
    reply.header('retry-after', retryAfterSeconds);
  }
  void reply
    .code(problem.getStatus())
    .header('content-type', 'application/problem+json')
    // As bytes: to text Fastify adds a charset, which this media type does not have.
    .send(Buffer.from(JSON.stringify(problemDocument(requestId, problem))));
}

export function problemDocument(requestId: string, { code, details }: Problem): object {
  // TRAP: all that `details` has is shown to the client, so nothing internal belongs into it.
  const { retryAfterSeconds: _, ...shown } = details;
  return {
    type: `urn:firstcome:problem:${code.toLowerCase()}`,
    ...problemKinds[code],
    code,
    ...shown,
    request_id: requestId,
  };
}

export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) {
    return error;
  }
  if (error instanceof LedgerUnavailableError || isUnavailable(error)) {
    // TRAP: this is said of every route that meets MySQL away, so it must be true of a new one too.
    return new Problem('UNAVAILABLE', {
      detail: 'This cannot be looked up at the moment; assigning is not affected.',
      retryAfterSeconds: 1,
    });
  }
  if (error instanceof NotFoundException) {
    return new Problem('NOT_FOUND', { detail: 'There is no such route; see /docs.' });
  }
  return fromStatus(statusOf(error), error);
}

/** The framework's own errors are told apart by their status. */
function fromStatus(status: number, error: unknown): Problem {
  switch (status) {
    case 404:
      return new Problem('NOT_FOUND', { detail: 'There is no such route; see /docs.' });
    case 413:
      return new Problem('BODY_TOO_LARGE', {
        detail: `A body may have at most ${bodyBytesMax} bytes.`,
      });
    case 415:
      return new Problem('UNSUPPORTED_MEDIA_TYPE', {
        detail: 'Send the body with Content-Type: application/json.',
      });
    default:
      // TRAP: an error class that is not named here or above is a 500; throw a `Problem` where a
      // client can do something about it.
      return status >= 400 && status < 500
        ? new Problem('INVALID_REQUEST', { detail: messageOf(error) })
        : new Problem('INTERNAL', { detail: 'The error was logged under this request id.' });
  }
}

function statusOf(error: unknown): number {
  if (error instanceof HttpException) {
    return error.getStatus();
  }
  return (error as { statusCode?: number } | null)?.statusCode ?? 500;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'The request is not valid.';
}
