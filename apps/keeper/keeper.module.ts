import { BullModule } from '@nestjs/bullmq';
import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import type { Auditor } from '#audit/auditor.ts';
import type { ProcessContext } from '#platform/run-process.ts';
import { jobStore } from '#stores/job-store.ts';
import { AuditJob, auditQueue } from './audit-job.ts';
import { AuditSchedule } from './audit-schedule.ts';

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
      ],
    };
  }
}
