/** A heap: what is added comes out by its key, the least first. */
export class EarliestFirst<Item> {
  private readonly items: Item[] = [];

  constructor(private readonly keyOf: (item: Item) => number) {}

  first(): Item | undefined {
    return this.items[0];
  }

  add(item: Item): void {
    let at = this.items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.keyAt(parent) <= this.keyAt(at)) {
        return;
      }
      this.swap(parent, at);
      at = parent;
    }
  }

  removeFirst(): void {
    const last = this.items.pop();
    if (last === undefined || this.items.length === 0) {
      return;
    }
    this.items[0] = last;
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const least = this.keyAt(right) < this.keyAt(left) ? right : left;
      if (this.keyAt(at) <= this.keyAt(least)) {
        return;
      }
      this.swap(at, least);
      at = least;
    }
  }

  private keyAt(at: number): number {
    return at < this.items.length ? this.keyOf(this.items[at]!) : Infinity;
  }

  private swap(a: number, b: number): void {
    [this.items[a], this.items[b]] = [this.items[b]!, this.items[a]!];
  }
}
