import type { CheckResult } from './check.ts';

export interface RoundTrips {
  medianMs: number;
  /** How far the clock there is before ours, give or take half of the quickest trip. */
  clockAheadMs: number;
}

const trips = 5;
const slowMs = 20;
const clockOffMs = 1_000;

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
    Math.abs(clockAheadMs) < clockOffMs
      ? { name: `${store}.clock`, verdict: 'ok', message: `its clock is ${ahead} ms before ours` }
      : {
          name: `${store}.clock`,
          verdict: 'warning',
          message: `its clock is ${ahead} ms before ours`,
          why: 'coupons open by the clock of Redis, and times of decisions come from MySQL: people compare them with theirs',
          remedy: 'synchronise the clocks (NTP)',
        },
  ];
}
