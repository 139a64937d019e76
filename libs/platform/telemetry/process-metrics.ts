import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { ObservedMetrics } from './observed-metrics.ts';
import { readResourceLimits } from './resource-limits.ts';

const sampleEveryMs = 1_000;
/** A scrape sees the worst, and the mean, of about so long; a shorter time would hide what is between two. */
const samplesKept = 5;
const timerMs = 20;
const limitsAgainMs = 5_000;

interface Sample {
  cpuSeconds: number;
  atMs: number;
  worstDelayMs: number;
}

/** What every process says of itself: its share of what it may have, and how late its event loop is. */
export function observeProcess(observed: ObservedMetrics): void {
  const samples = sampled();
  const limits = cached(readResourceLimits, limitsAgainMs);
  observed.gauge('process_resident_memory_bytes', 'Resident memory.', (observe) =>
    observe(process.memoryUsage.rss()),
  );
  observed.counter('process_cpu_seconds_total', 'CPU time used.', (observe) =>
    observe(cpuSeconds()),
  );
  observed.gauge(
    'process_memory_limit_ratio',
    'Resident memory as a share of the limit of the cgroup, or of the machine.',
    (observe) => observe(process.memoryUsage.rss() / limits().memoryBytes),
  );
  observed.gauge(
    'process_cpu_limit_ratio',
    'CPU of the last seconds as a share of the limit of the cgroup, or of the machine.',
    (observe) => observe(cpusUsed(samples) / limits().cpus),
  );
  observed.gauge('nodejs_heap_size_used_bytes', 'Heap of V8 in use.', (observe) =>
    observe(process.memoryUsage().heapUsed),
  );
  observed.gauge('nodejs_heap_size_total_bytes', 'Heap that V8 has reserved.', (observe) =>
    observe(process.memoryUsage().heapTotal),
  );
  observed.gauge(
    'firstcome_event_loop_delay_seconds',
    'How late the event loop came to a timer that was due: the worst of the last seconds.',
    (observe) => observe(Math.max(...samples.map(({ worstDelayMs }) => worstDelayMs)) / 1_000),
  );
}

/** The latest samples, the oldest first; at least one. */
function sampled(): readonly Sample[] {
  // It counts from one firing of its timer to the next.
  const delays = monitorEventLoopDelay({ resolution: timerMs });
  delays.enable();
  const take = (): Sample => ({
    cpuSeconds: cpuSeconds(),
    atMs: performance.now(),
    worstDelayMs: Math.max(0, delays.max / 1e6 - timerMs),
  });
  const samples = [take()];
  setInterval(() => {
    samples.push(take());
    delays.reset();
    samples.splice(0, samples.length - samplesKept);
  }, sampleEveryMs).unref();
  return samples;
}

function cpusUsed(samples: readonly Sample[]): number {
  const { cpuSeconds: before, atMs } = samples[0]!;
  return ((cpuSeconds() - before) * 1_000) / Math.max(1, performance.now() - atMs);
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** A limit may be changed while the process runs. */
function cached<T>(read: () => T, forMs: number): () => T {
  let value = read();
  let readAt = performance.now();
  return () => {
    if (performance.now() > readAt + forMs) {
      value = read();
      readAt = performance.now();
    }
    return value;
  };
}
