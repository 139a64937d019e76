import { InjectQueue } from '@nestjs/bullmq';
import type { OnModuleInit } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { reconcileEveryMs, reconcileQueue } from './reconcile-job.js';

/** Sees to it that the reconcile job is scheduled, once for all keepers. */
@Injectable()
export class ReconcileSchedule implements OnModuleInit {
  constructor(@InjectQueue(reconcileQueue) private readonly queue: Queue) {}

  /** Does not wait: the keeper's other duties must begin although the job store is away. */
  onModuleInit(): void {
    this.queue.on('error', () => {});
    this.queue
      .upsertJobScheduler(
        'reconcile',
        { every: reconcileEveryMs },
        { name: 'reconcile', opts: { removeOnComplete: 10, removeOnFail: 10 } },
      )
      .catch(() => {});
  }
}
