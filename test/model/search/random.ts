/** A source of numbers that a seed determines. */
export interface Random {
  /** From 0 up to but not with 1. */
  next(): number;
  /** An integer from 0 up to but not with `end`. */
  below(end: number): number;
  oneOf<T>(values: readonly T[]): T;
}

/** mulberry32, by Tommy Ettinger (public domain). */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end: number): number => Math.floor(next() * end);
  return { next, below, oneOf: (values) => values[below(values.length)]! };
}
