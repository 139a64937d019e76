/** At most one line of a kind in this time. */
export const lineGapMs = 1_000;

/** What a line is about. A function, since most of them are never written. */
export type About = () => object;

interface Kind {
  write: (about: object, more: number) => void;
  latest: About | undefined;
  /** How many came since the last line. */
  waiting: number;
  timer: NodeJS.Timeout;
}

/** What a line that stands for so many others ends with. */
export function andMore(more: number): string {
  return more === 0 ? '' : ` (and ${more} more)`;
}

/**
 * Lines of which many may come at once: the first of a kind is written at once, then at most one a
 * second, about the latest, with how many others it stands for. All are counted: the last line of a
 * burst comes by a timer.
 */
export class LimitedLines {
  private readonly kinds = new Map<string, Kind>();

  /** `more` is how many of this kind beside this one have come since the line before. */
  add(name: string, about: About, write: (about: object, more: number) => void): void {
    const kind = this.kinds.get(name);
    if (kind !== undefined) {
      kind.latest = about;
      kind.waiting += 1;
      return;
    }
    write(about(), 0);
    const timer = setInterval(() => this.tell(name), lineGapMs).unref();
    this.kinds.set(name, { write, latest: undefined, waiting: 0, timer });
  }

  /** Writes what waits, and stops. */
  close(): void {
    for (const name of this.kinds.keys()) {
      this.tell(name);
      clearInterval(this.kinds.get(name)?.timer);
    }
    this.kinds.clear();
  }

  private tell(name: string): void {
    const kind = this.kinds.get(name)!;
    const { latest, waiting } = kind;
    if (latest === undefined) {
      clearInterval(kind.timer);
      this.kinds.delete(name);
      return;
    }
    kind.latest = undefined;
    kind.waiting = 0;
    kind.write(latest(), waiting - 1);
  }
}
