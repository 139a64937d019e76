import { pauseFor } from '#platform/work/waiting.ts';
import { issuerGroup, topicNames } from '../topics.ts';
import type { PartitionLag } from './consumer-lag.ts';
import { hasComeTo, readConsumerLag } from './consumer-lag.ts';
import type { LogAdmin } from './log-admin.ts';
import { latestOffsets } from './log-admin.ts';

/** For each partition the offset up to which, not including, the issuers are to come. */
export type LogEnds = ReadonlyMap<number, number>;

const pollMs = 200;

/**
 * How far the issuers have come in the log of requests. They commit an offset when everything before
 * it is decided and refused units are given back. Every method rejects when the brokers do not answer.
 */
export class IssuerProgress {
  readonly groupId: string;
  readonly topic: string;

  constructor(
    private readonly admin: LogAdmin,
    topicPrefix: string,
  ) {
    this.groupId = issuerGroup(topicPrefix);
    this.topic = topicNames(topicPrefix).requested;
  }

  /** How far they are behind in every partition. */
  lags(): Promise<PartitionLag[]> {
    return readConsumerLag(this.admin, this.groupId, this.topic);
  }

  /** Where every partition ends now. */
  ends(): Promise<LogEnds> {
    return latestOffsets(this.admin, this.topic);
  }

  /** Where one partition ends now. */
  async endOf(partition: number): Promise<LogEnds> {
    // Nobody comes to the end of a partition that is not there.
    const end = (await this.ends()).get(partition) ?? Number.POSITIVE_INFINITY;
    return new Map([[partition, end]]);
  }

  /** Waits until everything before these ends is decided; false when `signal` is aborted first. */
  async untilDecided(ends: LogEnds, signal: AbortSignal): Promise<boolean> {
    while (!(await this.haveDecided(ends))) {
      if (signal.aborted) {
        return false;
      }
      await pauseFor(pollMs, signal);
    }
    return true;
  }

  private async haveDecided(ends: LogEnds): Promise<boolean> {
    const lags = new Map((await this.lags()).map((lag) => [lag.partition, lag]));
    return [...ends].every(([partition, end]) => {
      const lag = lags.get(partition);
      return lag !== undefined && hasComeTo(lag, end);
    });
  }
}
