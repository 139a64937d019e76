import type { Logger } from '../logging/logging.ts';
import { Loop } from '../work/loop.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { HealthProbes, ProbeAnswer } from './health-probes.ts';

const intervalMs = 1_000;
/** What a process has never seen well may still be connecting: a line at each start tells nobody anything. */
const startMs = 15_000;

interface Known {
  wasEverWell: boolean;
  problem: string | undefined;
  /** Of the problem that was told and is not over. */
  told?: { kind: string; since: number };
}

/**
 * Asks the probes whether or not anybody looks at readiness, tells the log when a problem begins and
 * when it is over, once each, and shows the same as a metric.
 */
export class HealthWatch {
  private readonly known = new Map<string, Known>();
  private readonly startedAt = performance.now();
  private readonly loop: Loop;

  constructor(
    private readonly probes: HealthProbes,
    private readonly logger: Logger,
    { observed }: Telemetry,
  ) {
    this.loop = new Loop('watch of the probes', intervalMs, () => this.look(), logger);
    observed.gauge(
      'firstcome_probe_up',
      '1 while what this probe of /health/ready looks at is well, else 0.',
      (observe) => {
        for (const [probe, { problem }] of this.known) {
          observe(problem === undefined ? 1 : 0, { probe });
        }
      },
    );
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async look(): Promise<void> {
    for (const answer of await this.probes.ask()) {
      this.note(answer);
    }
  }

  private note({ name, problem, isRequired }: ProbeAnswer): void {
    const known = this.known.get(name) ?? { wasEverWell: false, problem };
    this.known.set(name, known);
    known.problem = problem;
    if (problem === undefined) {
      known.wasEverWell = true;
      this.tellEnd(name, known);
    } else if (known.wasEverWell || performance.now() > this.startedAt + startMs) {
      this.tellBegin(name, known, problem, isRequired);
    }
  }

  private tellBegin(name: string, known: Known, problem: string, isRequired: boolean): void {
    const kind = kindOf(problem);
    if (known.told?.kind !== kind) {
      const effect = isRequired ? 'not ready' : 'degraded';
      this.logger.warn({ probe: name }, `${effect}: ${problem}`);
      known.told = { kind, since: known.told?.since ?? performance.now() };
    }
  }

  private tellEnd(name: string, known: Known): void {
    if (known.told !== undefined) {
      const seconds = Math.round((performance.now() - known.told.since) / 1_000);
      this.logger.info({ probe: name }, `${name} is well again after ${seconds} s`);
      delete known.told;
    }
  }
}

/** Numbers and what is in brackets change while the problem is the same. */
function kindOf(problem: string): string {
  return problem.replace(/\([^)]*\)|\d+/g, '');
}
