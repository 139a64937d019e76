import { fork } from 'node:child_process';
import { join } from 'node:path';
import { waitUntil } from '../../infra/local/processes/waiting.ts';
import { ReadableError } from '../../infra/local/terminal/readable-error.ts';
import type { CrowdOrder, CrowdReport } from './crowd.ts';

export const standingDeadlineMs = 300_000;

/** The people who wait: a process of their own, whose memory and time are not those of the api. */
export class ForkedCrowd {
  readonly latenciesMs: number[] = [];
  private readonly child = fork(join(import.meta.dirname, 'crowd.ts'));
  private readonly failures: string[] = [];

  constructor(order: CrowdOrder) {
    this.child.on('message', (report: CrowdReport) => {
      if (report.kind === 'told') {
        this.latenciesMs.push(...report.latenciesMs);
      } else if (report.kind === 'failed') {
        this.failures.push(report.why);
      }
    });
    this.child.send(order);
  }

  throwIfFailed(): void {
    if (this.failures.length > 0) {
      throw new ReadableError(`${this.failures.length} could not wait: ${this.failures[0]}`);
    }
  }

  async untilTold(count: number): Promise<void> {
    const told = async (): Promise<true | undefined> => {
      this.throwIfFailed();
      return this.latenciesMs.length >= count ? true : undefined;
    };
    const failure = (): string => `Only ${this.latenciesMs.length} of ${count} were told.`;
    await waitUntil(told, { deadlineMs: standingDeadlineMs, failure });
  }

  end(): void {
    this.child.disconnect();
  }
}
