import type { Config } from '#platform/config/config.ts';

/** How long somebody may wait at this process: whatever stands before it must not give up earlier. */
export class WaitLimits {
  readonly answerMaxS: number;
  readonly heartbeatMs: number;
  readonly eventsMaxMs: number;

  constructor(config: Pick<Config, 'WAIT_MAX_S' | 'EVENTS_HEARTBEAT_MS' | 'EVENTS_MAX_S'>) {
    this.answerMaxS = config.WAIT_MAX_S;
    this.heartbeatMs = config.EVENTS_HEARTBEAT_MS;
    this.eventsMaxMs = config.EVENTS_MAX_S === 0 ? Infinity : config.EVENTS_MAX_S * 1_000;
  }
}
