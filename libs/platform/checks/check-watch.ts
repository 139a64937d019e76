import { messageOf } from '../text/error-message.ts';
import type { Probe } from '../health/health-probes.ts';
import { pauseFor } from '../work/waiting.ts';
import type { Check, CheckResult, Verdict } from './check.ts';

/** Settings are changed by people. What is not as it should be is looked at sooner. */
const shippedPace = { intervalMs: 15_000, soonMs: 5_000 };

/**
 * Runs checks again and again from the first time that somebody asks on, for readiness: `promises` says what makes a promise void,
 * `warnings` what somebody should look at. What cannot be asked now stays as it was found last.
 */
export class CheckWatch {
  private readonly stopping = new AbortController();
  private results: CheckResult[] | undefined;
  private told: CheckResult[] = [];
  private running: Promise<void> | undefined;

  constructor(
    private readonly check: Check,
    private readonly pace = shippedPace,
  ) {}

  /** What the last look could tell: what it could not ask is not in it. */
  get found(): readonly CheckResult[] {
    return this.told;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** To be required: a process does not vouch for what does not hold, nor for what it has not seen. */
  readonly promises: Probe = () => {
    this.start();
    return this.results === undefined ? 'was not looked at yet' : this.describe('promise_void');
  };

  /** To be reported. */
  readonly warnings: Probe = () => {
    this.start();
    return this.describe('warning');
  };

  private start(): void {
    this.running ??= this.run();
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    const { intervalMs, soonMs } = this.pace;
    while (!signal.aborted) {
      await this.look();
      await pauseFor(this.isAllWell() ? intervalMs : soonMs, signal);
    }
  }

  private async look(): Promise<void> {
    const found = await this.check().catch((error: unknown): CheckResult[] => [
      { name: 'check', verdict: 'away', message: messageOf(error) },
    ]);
    const told = found.filter(({ verdict }) => verdict !== 'away');
    this.told = told;
    const names = new Set(told.map(({ name }) => name));
    const isAllTold = told.length === found.length;
    // Who may never ask for one thing is still told of the others.
    const kept = isAllTold ? [] : (this.results ?? []).filter(({ name }) => !names.has(name));
    this.results = [...told, ...kept];
  }

  private isAllWell(): boolean {
    const { results = [] } = this;
    return results.length > 0 && results.every(({ verdict }) => verdict === 'ok');
  }

  private describe(verdict: Verdict): string | undefined {
    const such = (this.results ?? []).filter((result) => result.verdict === verdict);
    return such.length === 0 ? undefined : such.map(inWords).join('; ');
  }
}

function inWords({ message, why, remedy }: CheckResult): string {
  const reason = why === undefined ? '' : `: ${why}`;
  const mend = remedy === undefined ? '' : ` (to mend it: ${remedy})`;
  return `${message}${reason}${mend}`;
}
