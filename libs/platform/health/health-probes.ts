/** Says what is wrong in words, or nothing when all is well. */
export type Probe = () => Promise<string | undefined> | string | undefined;

export interface NamedProbe {
  name: string;
  probe: Probe;
  /** Without this the process cannot do its work; otherwise it works on, degraded. */
  required: boolean;
}

/** What a process needs to be ready, and whether it is on its way out. */
export class HealthProbes {
  private stopping = false;

  constructor(readonly all: readonly NamedProbe[]) {}

  /** From here on the process is not ready: load balancers turn away before it stops listening. */
  beginShutdown(): void {
    this.stopping = true;
  }

  get isStopping(): boolean {
    return this.stopping;
  }
}
