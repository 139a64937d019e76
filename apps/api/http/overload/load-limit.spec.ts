import { describe, expect, it } from 'vitest';
import { LoadLimit } from './load-limit.ts';

const bounds = { least: 100, most: 2_000, targetMs: 200 };

describe('the limit', () => {
  it('takes on no more than there is room for, and counts whom it sends away', () => {
    const limit = new LoadLimit({ ...bounds, most: 2 });
    expect([limit.tryBegin(), limit.tryBegin(), limit.tryBegin()]).toEqual([true, true, false]);
    limit.end(1);
    expect(limit.tryBegin()).toBe(true);
    expect(limit.shed).toBe(1);
  });

  it('shrinks while answers take too long, and never below the least', () => {
    const limit = new LoadLimit(bounds);
    const resting = limit.current;
    serve(limit, 210);
    expect(limit.current).toBe(Math.floor(resting * (200 / 210)));
    serve(limit, 10_000, 50);
    expect(limit.current).toBe(bounds.least);
  });

  it('shrinks by a tenth at most for one pause, however long', () => {
    const limit = new LoadLimit(bounds);
    const resting = limit.current;
    serve(limit, 10_000);
    expect(limit.current).toBe(resting * 0.9);
  });

  it('counts what requests waited before the process saw them', () => {
    const limit = new LoadLimit(bounds);
    const resting = limit.current;
    serve(limit, 150, 1, 100);
    expect(limit.current).toBeLessThan(resting);
  });

  it('grows while it is full and answers are quick, and never above the most', () => {
    const limit = new LoadLimit(bounds);
    for (let i = 0; i < 50; i += 1) {
      fill(limit, 50);
    }
    expect(limit.current).toBe(bounds.most);
  });

  it('does not grow when nobody needs it, and comes back to where it began', () => {
    const limit = new LoadLimit(bounds);
    const resting = limit.current;
    serve(limit, 50, 50);
    expect(limit.current).toBe(resting);
    serve(limit, 10_000, 50);
    serve(limit, 50, 50);
    expect(limit.current).toBe(resting);
  });

  it('holds what it is given although that is below the least', () => {
    const limit = new LoadLimit({ ...bounds, most: 20 });
    serve(limit, 10_000, 50);
    expect(limit.current).toBe(20);
  });
});

/** So many rounds of one request that takes so long. */
function serve(limit: LoadLimit, tookMs: number, rounds = 1, delayMs = 0): void {
  for (let i = 0; i < rounds; i += 1) {
    limit.tryBegin();
    limit.end(tookMs);
    limit.adjust(delayMs);
  }
}

/** One round in which there are more requests than room. */
function fill(limit: LoadLimit, tookMs: number): void {
  const begun = limit.current;
  for (let i = 0; i < begun + 1; i += 1) {
    limit.tryBegin();
  }
  for (let i = 0; i < begun; i += 1) {
    limit.end(tookMs);
  }
  limit.adjust(0);
}
