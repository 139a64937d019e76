/** Says what is wrong in words, or nothing when all is well. */
export type Probe = () => Promise<string | undefined> | string | undefined;

/** By the names under which `/health/ready` shows them. */
export type Probes = Readonly<Record<string, Probe>>;

/** A probe that has said nothing by then has failed, and nobody knows why. */
export const probeTimeoutMs = 2_000;

/** What a process needs to be ready, and whether it is on its way out. */
export class HealthProbes {
  private stopping = false;

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
}
