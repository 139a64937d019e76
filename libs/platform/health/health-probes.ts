import { setTimeout as delay } from 'node:timers/promises';

/** Says what is wrong in words, or nothing when all is well. */
export type Probe = () => Promise<string | undefined> | string | undefined;

/** By the names under which `/health/ready` shows them. */
export type Probes = Readonly<Record<string, Probe>>;

/** A probe that has said nothing by then has failed, and nobody knows why. */
export const probeTimeoutMs = 2_000;
/** Probers may ask as often as they like; the stores are asked at most this often. */
const probeCacheMs = 500;

export interface ProbeAnswer {
  name: string;
  isRequired: boolean;
  /** In words; `undefined` when all is well. */
  problem: string | undefined;
}

/** What a process needs to be ready, and whether it is on its way out. */
export class HealthProbes {
  private stopping = false;
  private readonly recent = new Map<string, { askedAt: number; answer: Promise<ProbeAnswer> }>();

  /**
   * Without what is `required` the process cannot do its work; without what is `reported` it works
   * on, degraded.
   */
  constructor(
    readonly required: Probes,
    readonly reported: Probes = {},
  ) {}

  /** From here on the process is not ready: load balancers turn away before it stops listening. */
  beginShutdown(): void {
    this.stopping = true;
  }

  get isStopping(): boolean {
    return this.stopping;
  }

  /** What each probe says, or said less than half a second ago. Never rejects. */
  ask(): Promise<ProbeAnswer[]> {
    const all = Object.entries({ ...this.required, ...this.reported });
    return Promise.all(all.map(([name, probe]) => this.askOne(name, probe)));
  }

  private askOne(name: string, probe: Probe): Promise<ProbeAnswer> {
    const now = performance.now();
    const recent = this.recent.get(name);
    if (recent !== undefined && now < recent.askedAt + probeCacheMs) {
      return recent.answer;
    }
    const isRequired = Object.hasOwn(this.required, name);
    const answer = inTime(probe).then((problem) => ({ name, isRequired, problem }));
    this.recent.set(name, { askedAt: now, answer });
    return answer;
  }
}

async function inTime(probe: Probe): Promise<string | undefined> {
  const timer = new AbortController();
  const expired = delay(probeTimeoutMs, 'no answer', { signal: timer.signal, ref: false });
  // It ends with an abort when the probe was quicker.
  expired.catch(() => {});
  try {
    return await Promise.race([probe(), expired]);
  } catch (error) {
    return (error as Error).message;
  } finally {
    timer.abort();
  }
}
