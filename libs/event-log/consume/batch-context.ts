import type { ArgumentsHost, RpcExceptionFilter } from '@nestjs/common';
import { Catch } from '@nestjs/common';
import { BaseRpcContext, RpcException } from '@nestjs/microservices';
import { type Observable, throwError } from 'rxjs';

/** What a handler may ask while it works on a batch; the second argument, or `@Ctx()`. */
export class BatchContext extends BaseRpcContext<[]> {
  constructor(
    private readonly delivery: { resolve(offset: string): Promise<void>; isStale(): boolean },
    /** The consumer group that the batch was read for. */
    readonly group: string,
  ) {
    super([]);
  }

  /**
   * Everything up to and including this offset is done and must not come again: commits it. Never
   * rejects: when the commit fails, or the partition has been given to another consumer meanwhile,
   * the records simply come again, here or there (delivery is at least once).
   */
  resolve(offset: string): Promise<void> {
    return this.delivery.resolve(offset);
  }

  /**
   * True when a handler should stop after the chunk in its hands: the group is rebalancing, the
   * partition was revoked, commits fail, or the process is shutting down. The rest comes again.
   */
  isStale(): boolean {
    return this.delivery.isStale();
  }
}

/**
 * Thrown by a handler for a record that must neither be processed nor skipped: its partition stays
 * paused until the process is restarted, the others go on. The message says why, for an operator.
 *
 * It is an RpcException whose error is itself: the only kind Nest hands on as it was thrown (any
 * other becomes a plain `{ message: 'Internal server error' }`), with no filter to forget.
 */
export class PartitionStoppedError extends RpcException {
  override readonly name = 'PartitionStoppedError';

  override getError(): PartitionStoppedError {
    return this;
  }
}

/**
 * Hands every error of a handler to the transport as it was thrown, so that its lines and its
 * `state()` name the cause. Without it they read "Internal server error" and Nest reports the cause
 * apart; what is retried and what stops is the same. Put it on the controller: `@UseFilters(PassErrorsOn)`.
 */
@Catch()
export class PassErrorsOn implements RpcExceptionFilter<unknown> {
  catch(error: unknown, _host: ArgumentsHost): Observable<never> {
    return throwError(() => error);
  }
}
