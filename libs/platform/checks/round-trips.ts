import type { CheckResult } from './check.ts';

export interface RoundTrips {
  medianMs: number;
  /** How far the clock there is before ours, give or take half of the quickest trip. */
  clockAheadMs: number;
}

const trips = 5;
const slowMs = 20;
const clockOffMs = 1_000;
const clockFine = { verdict: 'ok' } as const;
const clockOff = {
  verdict: 'warning',
  why: 'coupons open by the clock of Redis, and times of decisions come from MySQL: people compare them with theirs',
  remedy: 'synchronise the clocks (NTP)',
} as const;

/** Asks for the time there, a few times. */
export async function measureTrips(askTimeMs: () => Promise<number>): Promise<RoundTrips> {
  const took: number[] = [];
  let quickest = Number.POSITIVE_INFINITY;
  let clockAheadMs = 0;
  for (let i = 0; i < trips; i += 1) {
    const before = Date.now();
    const startedAt = performance.now();
    const there = await askTimeMs();
    const tookMs = performance.now() - startedAt;
    took.push(tookMs);
    if (tookMs < quickest) {
      quickest = tookMs;
      clockAheadMs = there - (before + tookMs / 2);
    }
  }
  took.sort((a, b) => a - b);
  return { medianMs: took[Math.floor(trips / 2)]!, clockAheadMs };
}

export function judgeTrips(store: string, { medianMs, clockAheadMs }: RoundTrips): CheckResult[] {
  const tripMs = Math.round(medianMs * 10) / 10;
  const ahead = Math.round(clockAheadMs);
  return [
    medianMs < slowMs
      ? { name: `${store}.latency`, verdict: 'ok', message: `a trip takes ${tripMs} ms` }
      : {
          name: `${store}.latency`,
          verdict: 'warning',
          message: `a trip takes ${tripMs} ms`,
          why: 'each assign makes two trips to Redis and one to Kafka, each chunk of the issuer several to MySQL',
          remedy: 'put it nearer to the processes',
        },
    {
      name: `${store}.clock`,
      ...(Math.abs(clockAheadMs) < clockOffMs ? clockFine : clockOff),
      message: `its clock is ${ahead} ms before ours`,
      clockAheadMs,
    },
  ];
}

/** The two stores whose clocks are furthest apart: ours may be the one that is wrong, and the same as one of theirs. */
export function judgeClocks(results: readonly CheckResult[]): CheckResult[] {
  const clocks = results
    .flatMap(({ name, clockAheadMs }) =>
      clockAheadMs === undefined ? [] : [{ store: name.replace(/\.clock$/, ''), clockAheadMs }],
    )
    .sort((a, b) => a.clockAheadMs - b.clockAheadMs);
  const [last, first] = [clocks.at(0), clocks.at(-1)];
  if (last === undefined || first === undefined || last === first) {
    return [];
  }
  const apartMs = first.clockAheadMs - last.clockAheadMs;
  return [
    {
      name: 'clocks',
      ...(apartMs < clockOffMs ? clockFine : clockOff),
      message: `the clock of ${first.store} is ${Math.round(apartMs)} ms before that of ${last.store}`,
    },
  ];
}
