/** A failure whose message already tells the reader what to do: printed without a stack trace. */
export class ReadableError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
