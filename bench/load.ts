import { join } from 'node:path';
import autocannon from 'autocannon';
import { runToEnd } from '../infra/local/processes/process.ts';
import { ReadableError } from '../infra/local/terminal/readable-error.ts';
import type { LoadReport } from './wrk-report.ts';
import { parseWrkReport } from './wrk-report.ts';

export interface Load {
  url: string;
  couponId: number;
  /** No other run has it: it begins the user ids. */
  run: string;
  connections: number;
  seconds: number;
  /** The one core that wrk runs on; autocannon runs where it is called. */
  core?: number;
}

/** Makes the load of a run: wrk where there is one, else autocannon, in this process. */
export interface LoadGenerator {
  name: string;
  /** Throws when no run can be made; answers that are failures are only counted. */
  run(load: Load, abort: AbortSignal): Promise<LoadReport>;
}

/** Prefers wrk: it takes less of the CPU that the servers share with it. */
export async function findLoadGenerator(): Promise<LoadGenerator> {
  // wrk ends with 1 when it is asked for its version.
  const { output } = await runToEnd('wrk', ['--version']);
  const version = /^wrk (?:debian\/)?(\S+)/.exec(output)?.[1];
  return version === undefined
    ? { name: 'autocannon', run: runAutocannon }
    : { name: `wrk ${version}`, run: runWrk };
}

async function runWrk(
  { url, couponId, run, connections, seconds, core }: Load,
  signal: AbortSignal,
): Promise<LoadReport> {
  const script = join(import.meta.dirname, 'assign.lua');
  const load = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--timeout', '10s'];
  const wrk = ['wrk', ...load, '-s', script, url, '--', String(couponId), run];
  const [command = '', ...args] =
    core === undefined ? wrk : ['taskset', '-c', String(core), ...wrk];
  const { code, output } = await runToEnd(command, args, {
    timeoutMs: (seconds + 30) * 1_000,
    signal,
  });
  if (code !== 0) {
    throw new ReadableError(`wrk failed (exit ${code}):\n${output}`);
  }
  return parseWrkReport(output);
}

/** At `rate` requests a second, which wrk cannot hold, or as fast as can be. */
export async function runAutocannon(
  load: Load & { rate?: number },
  abort: AbortSignal,
): Promise<LoadReport> {
  let counter = 0;
  const nextBody = (): string => {
    counter += 1;
    const userId = `${load.run}-1-${String(counter).padStart(10, '0')}`;
    return JSON.stringify({ user_id: userId, coupon_id: load.couponId });
  };
  const options: autocannon.Options = {
    url: load.url,
    connections: load.connections,
    duration: load.seconds,
    ...(load.rate === undefined ? {} : { overallRate: load.rate }),
    requests: [
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        setupRequest: (request) => ({ ...request, body: nextBody() }),
      },
    ],
  };
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const instance = autocannon(options, (error: Error | null, ended) =>
      error === null ? resolve(ended) : reject(error),
    );
    abort.addEventListener('abort', () => instance.stop(), { once: true });
  });
  return {
    requests: result.requests.total,
    requestsPerSecond: Math.round(result.requests.total / result.duration),
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    maxMs: result.latency.max,
    // Timeouts are among the errors.
    failures: result.non2xx + result.errors,
  };
}
