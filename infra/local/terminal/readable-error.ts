/** A failure whose message already tells the reader what to do: printed without a stack trace. */
export class ReadableError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** What went wrong, in one line. Clients often hide it in the error underneath (`cause`). */
export function reason(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(reason).join(', ');
  }
  return error instanceof Error ? error.message : String(error);
}
