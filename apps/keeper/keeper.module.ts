import { BullModule } from '@nestjs/bullmq';
import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { readCertificateAuthority } from '#platform/config.ts';
import type { KeeperParts } from './keeper-parts.ts';
import { ReconcileJob, reconcileQueue } from './reconcile-job.ts';
import { ReconcileSchedule } from './reconcile-schedule.ts';

/** The jobs of the keeper; its duties that must work without the job store are plain loops. */
@Module({})
export class KeeperModule {
  static register(parts: KeeperParts): DynamicModule {
    const { config, logger, telemetry } = parts.context;
    const ca = readCertificateAuthority(config.JOBS_REDIS_CA_FILE);
    return {
      module: KeeperModule,
      imports: [
        BullModule.forRoot({
          connection: { url: config.JOBS_REDIS_URL, ...(ca === undefined ? {} : { tls: { ca } }) },
          prefix: `${config.GATE_KEY_PREFIX}jobs`,
        }),
        BullModule.registerQueue({ name: reconcileQueue }),
      ],
      providers: [
        {
          provide: ReconcileJob,
          useFactory: () => new ReconcileJob(parts.auditor, logger, telemetry),
        },
        ReconcileSchedule,
      ],
    };
  }
}
