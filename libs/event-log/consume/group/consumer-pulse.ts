import type { Consumer } from 'kafkajs';

const tickMs = 5_000;
const silentTicksMax = 14;
/** Longer than a join waits for a member that stands still, and than kafkajs tries to connect. */
export const silenceMaxMs = silentTicksMax * tickMs;

type Watched = Pick<Consumer, 'events' | 'on'>;

/**
 * Calls `onSilence`, once, when a consumer does nothing any more, from now on until it disconnects:
 * nothing that it asks a broker is answered or given up, and it does not crash. kafkajs waits without
 * a limit in places, as for its fetches to end before it says that one of them failed; a consumer that
 * waits there would be still without a word, with a lag that grows.
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
      events.REQUEST,
      events.REQUEST_TIMEOUT,
      events.FETCH,
      events.START_BATCH_PROCESS,
      events.END_BATCH_PROCESS,
    ] as const) {
      consumer.on(sign as typeof events.FETCH, () => (this.silentTicks = 0));
    }
    consumer.on(events.DISCONNECT, () => this.stop());
    // It has disconnected before it says so.
    consumer.on(events.CRASH, ({ payload: { restart } }) => {
      if (restart) {
        this.start();
      }
    });
    this.start();
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
      const seconds = silenceMaxMs / 1_000;
      this.onSilence(new Error(`the consumer has given no sign of life for ${seconds} s`));
    }
  }
}
