import { describe, expect, it } from 'vitest';
import type { Run, TargetName } from './summary.ts';
import { formatSummary, median, summarize, targetNames } from './summary.ts';

describe('median', () => {
  it('is the one in the middle, by value', () => {
    expect(median([10, 9, 100])).toBe(10);
    expect(median([7])).toBe(7);
  });

  it('of an even count is the mean of the two in the middle', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it('of nothing is an error, not a number', () => {
    expect(() => median([])).toThrow();
  });
});

function run(round: number, target: TargetName, requestsPerSecond: number, connections = 64): Run {
  const report = {
    requests: 1,
    requestsPerSecond,
    p50Ms: round,
    p99Ms: 10,
    maxMs: 20,
    failures: 0,
  };
  // A request costs as much as a second has of them.
  return { round, target, connections, report, cpuSeconds: 1_000 / requestsPerSecond };
}

describe('a summary', () => {
  const runs = [
    run(1, 'fastify', 20_000),
    run(1, 'lua', 10_000),
    run(1, 'pipelined', 16_000),
    run(1, 'silent', 8_000),
    run(1, 'assign', 8_000),
    // The machine is at half its speed in this round: figures move, ratios do not.
    run(2, 'assign', 4_000),
    run(2, 'silent', 5_000),
    run(2, 'lua', 5_000),
    run(2, 'fastify', 10_000),
    run(2, 'pipelined', 8_000),
    run(3, 'lua', 10_000),
    run(3, 'fastify', 20_000),
    run(3, 'assign', 9_000),
    run(3, 'silent', 10_000),
    run(3, 'pipelined', 16_000),
  ];

  it('has medians over the rounds, and ratios within them', () => {
    expect(summarize(runs)[4]).toEqual({
      target: 'assign',
      connections: 64,
      requestsPerSecond: 8_000,
      lowest: 4_000,
      highest: 9_000,
      p50Ms: 2,
      p99Ms: 10,
      toFastify: 0.4,
      toLua: 0.8,
      toPipelined: 0.5,
      toSilent: 0.9,
      cpuSeconds: 0.125,
      cpuToSilent: expect.closeTo(10 / 9) as number,
    });
  });

  it('keeps connection counts apart', () => {
    const more = targetNames.map((target) => run(1, target, 1, 256));
    const rows = summarize([...runs, ...more]);
    expect(rows.map(({ connections }) => connections)).toEqual([
      64, 64, 64, 64, 64, 256, 256, 256, 256, 256,
    ]);
    expect(rows.map(({ toLua }) => toLua)).toEqual([2, 1, 1.6, 1, 0.8, 1, 1, 1, 1, 1]);
  });

  it('prints a row for each target under one header, in columns', () => {
    const lines = formatSummary(summarize(runs)).trimEnd().split('\n');
    expect(lines).toHaveLength(6);
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
    expect(lines[5]).toMatch(
      /^assign +64 +8000 +4000-9000 +2\.0 ms +10\.0 ms +0\.40 +0\.80 +0\.50 +0\.90 +0\.125 +1\.11$/,
    );
  });
});
