import { InjectQueue } from '@nestjs/bullmq';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { auditEveryMs, auditQueue } from './audit-job.ts';

const schedulerId = 'reconcile';
/** A job store that was emptied forgets the schedule as well. */
const lookEveryMs = 10_000;
/** A schedule that is further off was made by a clock that was wrong, or is: each keeper trusts its own. */
const offMaxMs = 5 * 60_000;

/** Sees to it that the audit job is scheduled, once for all keepers. */
@Injectable()
export class AuditSchedule implements OnModuleInit, OnModuleDestroy {
  private looking: NodeJS.Timeout | undefined;
  private isAsking = false;

  constructor(@InjectQueue(auditQueue) private readonly queue: Queue) {}

  /** Does not wait: the keeper's other duties must begin although the job store is away. */
  onModuleInit(): void {
    this.queue.on('error', () => {});
    this.ask(() => this.schedule());
    this.looking = setInterval(() => this.ask(() => this.scheduleAgain()), lookEveryMs);
  }

  onModuleDestroy(): void {
    clearInterval(this.looking);
  }

  /** One question at a time: while the job store is away they would pile up. */
  private ask(question: () => Promise<unknown>): void {
    if (!this.isAsking) {
      this.isAsking = true;
      question()
        .catch(() => {})
        .finally(() => (this.isAsking = false));
    }
  }

  private async scheduleAgain(): Promise<void> {
    const known = await this.queue.getJobScheduler(schedulerId);
    if (known === undefined) {
      await this.schedule();
    } else if (Math.abs((known.next ?? 0) - Date.now()) > offMaxMs) {
      // BullMQ goes by the clock of whoever made the schedule, and would wait for that time to come.
      await this.queue.removeJobScheduler(schedulerId);
      await this.schedule();
    }
  }

  private schedule(): Promise<unknown> {
    return this.queue.upsertJobScheduler(
      schedulerId,
      { every: auditEveryMs },
      { name: 'reconcile', opts: { removeOnComplete: 10, removeOnFail: 10 } },
    );
  }
}
