import type { Consumer } from 'kafkajs';

const tickMs = 5_000;
/** Longer than a join waits for a member that stands still, and than requests are tried again. */
const silentTicksMax = 14;

type Watched = Pick<Consumer, 'events' | 'on'>;

/**
 * Calls `onSilence`, once, when a consumer that has joined its group does nothing any more: it neither
 * fetches, nor heartbeats, nor crashes. kafkajs was seen to wait like that for an answer that never
 * came, when a broker woke up, without a word and with a lag that grew.
 */
export function watchPulse(consumer: Watched, onSilence: (error: Error) => void): void {
  new ConsumerPulse(onSilence).listenTo(consumer);
}

/** Ticks are counted, not time: a process that was frozen itself has missed none. */
class ConsumerPulse {
  private silentTicks = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly onSilence: (error: Error) => void) {}

  listenTo(consumer: Watched): void {
    const { events } = consumer;
    for (const sign of [
      events.FETCH_START,
      events.FETCH,
      events.HEARTBEAT,
      events.START_BATCH_PROCESS,
      events.END_BATCH_PROCESS,
    ] as const) {
      consumer.on(sign as typeof events.FETCH, () => (this.silentTicks = 0));
    }
    consumer.on(events.GROUP_JOIN, () => this.start());
    // What crashes is not silent; it is watched again when it joins.
    consumer.on(events.CRASH, () => this.stop());
    consumer.on(events.DISCONNECT, () => this.stop());
  }

  private start(): void {
    this.stop();
    this.timer = setInterval(() => this.tick(), tickMs).unref();
  }

  private stop(): void {
    clearInterval(this.timer);
    this.silentTicks = 0;
  }

  private tick(): void {
    this.silentTicks += 1;
    if (this.silentTicks > silentTicksMax) {
      this.stop();
      const seconds = (silentTicksMax * tickMs) / 1_000;
      this.onSilence(new Error(`the consumer has given no sign of life for ${seconds} s`));
    }
  }
}
