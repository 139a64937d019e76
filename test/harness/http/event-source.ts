/** An event as it was sent; `retry` of the block it came in. */
export interface SentEvent {
  event: string | undefined;
  id: string | undefined;
  retry: number | undefined;
  // oxlint-disable-next-line typescript/no-explicit-any -- whoever asks knows the shape
  data: any;
}

/** Reads server-sent events as they come, and knows when the stream has ended. */
export class EventSourceReader {
  readonly events: SentEvent[] = [];
  /** All that was sent, heartbeats as well. */
  text = '';
  readonly ended: Promise<void>;
  private readonly leaving = new AbortController();

  private constructor(
    readonly status: number,
    readonly headers: Headers,
    body: ReadableStream<Uint8Array> | null,
  ) {
    this.ended = this.read(body);
    this.ended.catch(() => undefined);
  }

  /** Resolves when the headers are there. */
  static async open(url: string, headers: Record<string, string> = {}): Promise<EventSourceReader> {
    const leaving = new AbortController();
    const response = await fetch(url, { headers, signal: leaving.signal });
    const reader = new EventSourceReader(response.status, response.headers, response.body);
    reader.leaving.signal.addEventListener('abort', () => leaving.abort());
    return reader;
  }

  close(): void {
    this.leaving.abort();
  }

  private async read(body: ReadableStream<Uint8Array> | null): Promise<void> {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const piece of body ?? []) {
      const text = decoder.decode(piece, { stream: true });
      this.text += text;
      const blocks = (rest + text).split('\n\n');
      rest = blocks.pop()!;
      this.events.push(...blocks.map(toEvent).filter((event) => event !== undefined));
    }
  }
}

/** Nothing for a comment. */
function toEvent(block: string): SentEvent | undefined {
  const fields = new Map(
    block
      .split('\n')
      .filter((line) => !line.startsWith(':'))
      .map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
  );
  const [data, retry] = [fields.get('data'), fields.get('retry')];
  return fields.size === 0
    ? undefined
    : {
        event: fields.get('event'),
        id: fields.get('id'),
        retry: retry === undefined ? undefined : Number(retry),
        data: data === undefined ? undefined : (JSON.parse(data) as unknown),
      };
}
