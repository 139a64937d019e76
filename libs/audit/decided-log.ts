import { setTimeout as delay } from 'node:timers/promises';
import type { LogAdmin } from '#event-log/inspect/consumer-lag.ts';
import { hasComeTo, latestOffsets, readConsumerLag } from '#event-log/inspect/consumer-lag.ts';
import { issuerGroup, topicNames } from '#event-log/topics.ts';

const pollMs = 200;

/** How far the issuers have come in the log. */
export class DecidedLog {
  private readonly groupId: string;
  private readonly topic: string;

  constructor(
    private readonly admin: LogAdmin,
    topicPrefix: string,
  ) {
    this.groupId = issuerGroup(topicPrefix);
    this.topic = topicNames(topicPrefix).requested;
  }

  /**
   * Waits until everything that is in a partition now is decided, and refused units are given back.
   * False when that takes longer than `timeoutMs`. Rejects when the brokers do not answer.
   */
  async untilDecided(partition: number, timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    const end = (await latestOffsets(this.admin, this.topic)).get(partition) ?? Number.NaN;
    while (!(await this.isDecidedUpTo(partition, end))) {
      if (performance.now() > deadline) {
        return false;
      }
      await delay(pollMs);
    }
    return true;
  }

  private async isDecidedUpTo(partition: number, end: number): Promise<boolean> {
    const lags = await readConsumerLag(this.admin, this.groupId, this.topic);
    const found = lags.find((lag) => lag.partition === partition);
    return found !== undefined && hasComeTo(found, end);
  }
}
