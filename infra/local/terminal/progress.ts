/** Where long steps and remarks are told to the person who waits. */
export interface Report {
  /** Shows `label` while `work` runs, and how long it took. */
  step<T>(label: string, work: () => Promise<T>): Promise<T>;
  line(text: string): void;
}

/** Says nothing, for tests. */
export const silent: Report = {
  step: (_label, work) => work(),
  line: () => undefined,
};

/**
 * Reports on stderr, so that stdout stays clean for a command's own output. On a terminal all
 * running steps share one live line; elsewhere each step prints a line at its start and its end.
 */
export function createProgress(stream: NodeJS.WriteStream = process.stderr): Report {
  return stream.isTTY ? new LiveProgress(stream) : new PlainProgress(stream);
}

function seconds(sinceMs: number): string {
  return `${((Date.now() - sinceMs) / 1_000).toFixed(1)} s`;
}

class PlainProgress implements Report {
  private readonly stream: NodeJS.WriteStream;

  constructor(stream: NodeJS.WriteStream) {
    this.stream = stream;
  }

  async step<T>(label: string, work: () => Promise<T>): Promise<T> {
    const startedAt = Date.now();
    this.line(`… ${label}`);
    try {
      const result = await work();
      this.line(`✓ ${label} (${seconds(startedAt)})`);
      return result;
    } catch (error) {
      this.line(`✗ ${label} (${seconds(startedAt)})`);
      throw error;
    }
  }

  line(text: string): void {
    this.stream.write(`${text}\n`);
  }
}

class LiveProgress implements Report {
  private readonly stream: NodeJS.WriteStream;
  private readonly running = new Map<symbol, { label: string; startedAt: number }>();
  private timer: NodeJS.Timeout | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.stream = stream;
  }

  async step<T>(label: string, work: () => Promise<T>): Promise<T> {
    const key = Symbol(label);
    const startedAt = Date.now();
    this.running.set(key, { label, startedAt });
    this.timer ??= setInterval(() => this.draw(), 200).unref();
    this.draw();
    let mark = '✗';
    try {
      const result = await work();
      mark = '✓';
      return result;
    } finally {
      this.running.delete(key);
      this.line(`${mark} ${label} (${seconds(startedAt)})`);
    }
  }

  line(text: string): void {
    this.stream.write(`\r\u001B[K${text}\n`);
    this.draw();
  }

  private draw(): void {
    if (this.running.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
      this.stream.write('\r\u001B[K');
      return;
    }
    const steps = [...this.running.values()];
    const text = steps.map(({ label, startedAt }) => `${label} ${seconds(startedAt)}`).join(', ');
    this.stream.write(`\r\u001B[K${`… ${text}`.slice(0, (this.stream.columns || 80) - 1)}`);
  }
}
