/** Ends a command with exit code 1 and this message; nothing else is shown. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}
