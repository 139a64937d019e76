import { BullModule, getQueueToken } from '@nestjs/bullmq';
import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import type { Queue } from 'bullmq';
import type { Auditor } from '#audit/auditor.ts';
import type { ProcessContext } from '#platform/process/run-process.ts';
import { jobStore } from '#stores/job-store.ts';
import { AuditJob, auditQueue } from './audit/audit-job.ts';
import { AuditSchedule } from './audit/audit-schedule.ts';
import { JobQueueMetrics } from './metrics/job-queue-metrics.ts';

/** The jobs of the keeper; its duties that must work without the job store are plain loops. */
@Module({})
export class KeeperModule {
  static register({ config, logger, telemetry }: ProcessContext, auditor: Auditor): DynamicModule {
    return {
      module: KeeperModule,
      imports: [jobStore(config), BullModule.registerQueue({ name: auditQueue })],
      providers: [
        { provide: AuditJob, useFactory: () => new AuditJob(auditor, logger, telemetry) },
        AuditSchedule,
        {
          provide: JobQueueMetrics,
          useFactory: (queue: Queue) => new JobQueueMetrics(queue, telemetry),
          inject: [getQueueToken(auditQueue)],
        },
      ],
    };
  }
}
