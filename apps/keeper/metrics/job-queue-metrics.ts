import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';
import { LastLook } from './last-look.ts';

const lookEveryMs = 2_000;
const validMs = 6_000;

/** How many jobs are in which state; nothing while the job store is away. */
@Injectable()
export class JobQueueMetrics implements OnModuleInit, OnModuleDestroy {
  private readonly counts = new LastLook<Record<string, number>>(validMs);
  private looking: NodeJS.Timeout | undefined;
  private isAsking = false;

  constructor(
    private readonly queue: Queue,
    { observed }: Telemetry,
  ) {
    observed.gauge('firstcome_job_queue_jobs', 'Jobs of the queue, by their state.', (observe) => {
      for (const [state, count] of Object.entries(this.counts.value ?? {})) {
        observe(count, { queue: queue.name, state });
      }
    });
  }

  onModuleInit(): void {
    this.looking = setInterval(() => this.look(), lookEveryMs);
  }

  onModuleDestroy(): void {
    clearInterval(this.looking);
  }

  /** One question at a time: BullMQ lets them wait for a job store that is away. */
  private look(): void {
    if (!this.isAsking) {
      this.isAsking = true;
      this.counts
        .refresh(() => this.queue.getJobCounts('waiting', 'active', 'delayed', 'failed'))
        .catch(() => {})
        .finally(() => (this.isAsking = false));
    }
  }
}
