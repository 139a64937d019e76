import type { SoakOptions } from './soak-options.ts';
import { median } from './summary.ts';
import { formatTable } from '../infra/local/terminal/table.ts';

/** Resident memory of one process, in the order it was read, at equal intervals. */
export interface MemorySeries {
  process: string;
  bytes: number[];
}

export interface MemoryVerdict {
  process: string;
  /** Medians over the second and over the last fifth of the time: the first is for warming up. */
  earlyMb: number;
  lateMb: number;
  mostMb: number;
  /** Of late over early; 0.1 is a tenth more. */
  growth: number;
  isWithinLimits: boolean;
}

/** Throws when there are not enough readings to judge by. */
export function judgeMemory(
  { process, bytes }: MemorySeries,
  { memoryMaxMb, growthMax }: Pick<SoakOptions, 'memoryMaxMb' | 'growthMax'>,
): MemoryVerdict {
  const fifth = Math.floor(bytes.length / 5);
  if (fifth === 0) {
    throw new Error(`${process}: ${bytes.length} readings are too few`);
  }
  const earlyMb = megabytes(median(bytes.slice(fifth, 2 * fifth)));
  const lateMb = megabytes(median(bytes.slice(-fifth)));
  const mostMb = megabytes(Math.max(...bytes));
  const growth = lateMb / earlyMb - 1;
  const isWithinLimits = mostMb <= memoryMaxMb && growth <= growthMax;
  return { process, earlyMb, lateMb, mostMb, growth, isWithinLimits };
}

export function formatVerdicts(verdicts: MemoryVerdict[]): string {
  const header = ['process', 'early', 'late', 'most', 'growth', ''];
  const lines = verdicts.map((verdict) => [
    verdict.process,
    `${verdict.earlyMb.toFixed(0)} MB`,
    `${verdict.lateMb.toFixed(0)} MB`,
    `${verdict.mostMb.toFixed(0)} MB`,
    `${(verdict.growth * 100).toFixed(1)} %`,
    verdict.isWithinLimits ? 'ok' : 'FAIL',
  ]);
  return formatTable([header, ...lines]);
}

function megabytes(bytes: number): number {
  return bytes / 2 ** 20;
}
