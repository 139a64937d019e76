import { innerModule } from './replace-module.ts';

/** What we use of a class inside kafkajs 2.2.4: the requests of one connection that wait to be sent. */
interface RequestQueue {
  pending: unknown[];
  /** Milliseconds since 1970 until which the broker wants quiet; -1 for none. */
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

const { prototype } = innerModule<{ prototype: RequestQueue }>('network/requestQueue').exports;

const checkEveryMs = 10;

/**
 * kafkajs looks for waiting requests every millisecond, on every connection, for ever: its delay is
 * negative while no broker throttles (tulios/kafkajs issues 1556 and 1704). Three idle processes took
 * a seventh of a CPU for it. Looking is needed only while a request waits: each answer that comes in
 * looks as well.
 */
prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
  if (this.pending.length === 0 || this.throttleCheckTimeoutId !== null) {
    return;
  }
  const waitMs = Math.max(this.throttledUntil - Date.now(), checkEveryMs);
  this.throttleCheckTimeoutId = setTimeout(() => {
    this.throttleCheckTimeoutId = null;
    this.checkPendingRequests();
  }, waitMs);
};
