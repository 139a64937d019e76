/** Numbers by position, of which any range can be raised, and its least one asked, in O(log n). */
export class RangeMinimum {
  private readonly least: Float64Array;
  private readonly added: Float64Array;

  constructor(private readonly values: ArrayLike<number>) {
    this.least = new Float64Array(4 * values.length);
    this.added = new Float64Array(4 * values.length);
    if (values.length > 0) {
      this.build(1, 0, values.length - 1);
    }
  }

  /** Adds to all from `first` to `last`; to none when `last` is before `first`. */
  add(first: number, last: number, by: number): void {
    if (first <= last) {
      this.addBelow(1, 0, this.values.length - 1, first, last, by);
    }
  }

  /** Infinity when `last` is before `first`. */
  min(first: number, last: number): number {
    return first <= last ? this.minBelow(1, 0, this.values.length - 1, first, last) : Infinity;
  }

  private build(node: number, from: number, to: number): void {
    if (from === to) {
      this.least[node] = this.values[from]!;
      return;
    }
    const middle = (from + to) >> 1;
    this.build(2 * node, from, middle);
    this.build(2 * node + 1, middle + 1, to);
    this.least[node] = Math.min(this.least[2 * node]!, this.least[2 * node + 1]!);
  }

  private addBelow(
    node: number,
    from: number,
    to: number,
    first: number,
    last: number,
    by: number,
  ): void {
    if (last < from || to < first) {
      return;
    }
    if (first <= from && to <= last) {
      this.least[node]! += by;
      this.added[node]! += by;
      return;
    }
    const middle = (from + to) >> 1;
    this.addBelow(2 * node, from, middle, first, last, by);
    this.addBelow(2 * node + 1, middle + 1, to, first, last, by);
    this.least[node] =
      Math.min(this.least[2 * node]!, this.least[2 * node + 1]!) + this.added[node]!;
  }

  private minBelow(node: number, from: number, to: number, first: number, last: number): number {
    if (last < from || to < first) {
      return Infinity;
    }
    if (first <= from && to <= last) {
      return this.least[node]!;
    }
    const middle = (from + to) >> 1;
    const below = Math.min(
      this.minBelow(2 * node, from, middle, first, last),
      this.minBelow(2 * node + 1, middle + 1, to, first, last),
    );
    return below + this.added[node]!;
  }
}
