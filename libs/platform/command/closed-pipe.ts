/** Of a stream that nobody reads any more: a pipe whose reader has ended, a terminal that was closed. */
const nobodyReads = new Set(['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED']);

/**
 * Lets this process finish its work when nobody reads its output any more, as in `… | head`: what it
 * still prints is lost. `onFailure` hears why output could not be written for another reason.
 */
export function outliveReaders(onFailure: (error: Error) => void): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (!nobodyReads.has(error.code ?? '')) {
        onFailure(error);
      }
    });
  }
}
