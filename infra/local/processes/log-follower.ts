import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { readableLine } from '#platform/logging/readable-line.ts';
import { pauseFor } from '#platform/work/waiting.ts';

const everyMs = 250;

/** Reads what is added to a file of lines, and tells each line once it is whole. */
export class LogFollower {
  private position: number;
  private rest = '';
  private readonly decoder = new StringDecoder('utf8');

  /** What the file has already is left out. */
  constructor(
    private readonly file: string,
    private readonly tell: (line: string) => void,
  ) {
    this.position = this.size();
  }

  look(): void {
    const length = this.size() - this.position;
    if (length <= 0) {
      return;
    }
    const bytes = Buffer.alloc(length);
    const opened = openSync(this.file, 'r');
    const read = readSync(opened, bytes, 0, length, this.position);
    closeSync(opened);
    this.position += read;
    const lines = (this.rest + this.decoder.write(bytes.subarray(0, read))).split('\n');
    this.rest = lines.pop()!;
    lines.forEach(this.tell);
  }

  private size(): number {
    return statSync(this.file, { throwIfNoEntry: false })?.size ?? 0;
  }
}

/** Shows what processes write from now on, for people, until `signal` is aborted. */
export async function showLogs(
  files: string[],
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const followers = files.map((file) => new LogFollower(file, (line) => say(readableLine(line))));
  while (!signal.aborted) {
    followers.forEach((follower) => follower.look());
    await pauseFor(everyMs, signal);
  }
}
