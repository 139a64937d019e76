import type { Failure } from '#platform/failures/failure.ts';
import { isConnectionError, isReadOnlyNode, isUnavailable } from './driver-error.ts';
import { LedgerUnavailableError } from './ledger-connection.ts';

/** Why MySQL could not be asked, for metrics and log; `undefined` for an error that says nothing of it. */
export function ledgerFailure(error: unknown): Failure | undefined {
  if (
    error instanceof LedgerUnavailableError ||
    isConnectionError(error) ||
    isReadOnlyNode(error)
  ) {
    return { cause: 'ledger_away', error };
  }
  return isUnavailable(error) ? { cause: 'ledger_refuses', error } : undefined;
}
