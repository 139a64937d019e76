import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Search } from './random-schedules.ts';

const seedsPerTask = 500;

export interface Seeds {
  first: number;
  count: number;
}

/**
 * Runs random schedules on every core. `progress` hears what was run up to now, after each few of
 * them. Ends early when one breaks an invariant.
 */
export async function searchInParallel(
  seeds: Seeds,
  progress: (soFar: Search) => void,
): Promise<Search> {
  const total: Search = { finding: null, schedules: 0, steps: 0, faults: 0 };
  const end = seeds.first + seeds.count;
  let next = seeds.first;

  const takeTask = (): Seeds | undefined => {
    if (next >= end || total.finding !== null) {
      return undefined;
    }
    const first = next;
    next = Math.min(first + seedsPerTask, end);
    return { first, count: next - first };
  };
  const add = ({ finding, schedules, steps, faults }: Search): void => {
    total.finding ??= finding;
    total.schedules += schedules;
    total.steps += steps;
    total.faults += faults;
    progress(total);
  };
  try {
    const threads = Array.from({ length: availableParallelism() }, () => runWorker(takeTask, add));
    await Promise.all(threads);
  } finally {
    // Where one thread failed, the others come to their end too.
    next = end;
  }
  return total;
}

/** Gives one thread a task after the other, until there is none. Rejects when the thread fails. */
function runWorker(takeTask: () => Seeds | undefined, done: (of: Search) => void): Promise<void> {
  const worker = new Worker(new URL('./search-worker.ts', import.meta.url), {
    execArgv: ['--import=tsx'],
  });
  return new Promise<void>((resolve, reject) => {
    const giveTask = (): void => {
      const task = takeTask();
      if (task === undefined) {
        void worker.terminate().then(() => resolve());
      } else {
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- no window
        worker.postMessage(task);
      }
    };
    worker.on('error', reject);
    worker.on('message', (result: Search) => {
      done(result);
      giveTask();
    });
    giveTask();
  });
}
