import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import {
  Catch,
  HttpException,
  NotFoundException,
  ServiceUnavailableException,
} from '@nestjs/common';
import type { HealthCheckResult } from '@nestjs/terminus';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { ledgerFailure } from '#ledger/connection/ledger-failure.ts';
import type { Failures } from '#platform/failures/failures.ts';
import type { Logger } from '#platform/logging/logging.ts';
import { unsupportedMediaType } from '../request/json-body.ts';
import {
  bodyTooLarge,
  internalError,
  noSuchRoute,
  notReady,
  unavailable,
  uriTooLong,
} from './framework-problems.ts';
import { Problem, problemDocument, problemHeaders } from './problem.ts';
import { fieldsOf } from '../request/request-fields.ts';
import { malformedTarget } from '../request/well-formed-requests.ts';

/** Turns whatever was thrown, by our code or by the framework, into one problem document. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly logger: Logger,
    private readonly failures: Failures,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const problem = toProblem(error);
    this.report(problem, error, request);
    sendProblem(http.getResponse<FastifyReply>(), request.id, problem);
  }

  /** What is our fault; a client's mistakes, and a process that is not ready, are told elsewhere. */
  private report({ code, details, failure }: Problem, error: unknown, request: FastifyRequest) {
    const about = (): object => ({ ...fieldsOf(request), issuance_id: details.issuance_id });
    switch (code) {
      case 'INTERNAL':
        this.logger.error({ err: error, ...about() }, 'request failed');
        break;
      case 'RECOVERING':
      case 'UNCONFIRMED':
      case 'UNAVAILABLE':
      case 'OVERLOADED':
        this.failures.note(code, failure ?? { cause: 'unexpected', error }, about);
        break;
    }
  }
}

export function sendProblem(reply: FastifyReply, requestId: string, problem: Problem): void {
  void reply
    .code(problem.getStatus())
    .headers(problemHeaders(problem))
    // As bytes: to text Fastify adds a charset, which this media type does not have.
    .send(Buffer.from(JSON.stringify(problemDocument(requestId, problem))));
}

export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) {
    return error;
  }
  const failure = ledgerFailure(error);
  if (failure !== undefined) {
    // TRAP: this is said of every route that meets MySQL away, so it must be true of a new one too.
    return unavailable(failure);
  }
  if (error instanceof ServiceUnavailableException) {
    const { error: down } = error.getResponse() as HealthCheckResult;
    return notReady(Object.keys(down ?? {}));
  }
  if (error instanceof NotFoundException) {
    return noSuchRoute();
  }
  return fromStatus(statusOf(error), error);
}

/** The framework's own errors are told apart by their status. */
function fromStatus(status: number, error: unknown): Problem {
  switch (status) {
    case 404:
      return noSuchRoute();
    case 413:
      return bodyTooLarge();
    case 414:
      return uriTooLong();
    case 415:
      return unsupportedMediaType();
    default:
      // TRAP: an error class that is not named here or above is a 500; throw a `Problem` where a
      // client can do something about it.
      return status >= 400 && status < 500 ? invalidRequest(error) : internalError();
  }
}

/** What the framework says in its own words may repeat what the client sent, whole. */
function invalidRequest(error: unknown): Problem {
  return (error as Partial<FastifyError>).code === 'FST_ERR_BAD_URL'
    ? malformedTarget()
    : new Problem('INVALID_REQUEST', { detail: 'The request is not valid.' });
}

function statusOf(error: unknown): number {
  if (error instanceof HttpException) {
    return error.getStatus();
  }
  return (error as { statusCode?: number } | null)?.statusCode ?? 500;
}
