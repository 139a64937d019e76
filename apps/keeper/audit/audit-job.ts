import { Processor, WorkerHost } from '@nestjs/bullmq';
import type { Auditor } from '#audit/auditor.ts';
import { invariants } from '#audit/finding.ts';
import type { Logger } from '#platform/logging/logging.ts';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';

/** Job stores hold the job under this name, which is older than `AuditJob`: under another it would stay. */
export const auditQueue = 'firstcome-reconcile';
/** With the rest that it waits for, still within the 30 s in which somebody on call is told. */
export const auditEveryMs = 15_000;
const restTimeoutMs = 5_000;

/**
 * Compares the counts of the stores from time to time and says where they differ; it changes nothing:
 * a person decides what to repair. The job is a trigger: a job store that lost it gets it again from
 * any keeper that runs (see `AuditSchedule`).
 */
@Processor(auditQueue)
export class AuditJob extends WorkerHost {
  /** Stays as it is while the system is too busy to be judged. */
  private violated: Record<string, number> = {};

  constructor(
    private readonly auditor: Auditor,
    private readonly logger: Logger,
    { observed }: Telemetry,
  ) {
    super();
    observed.gauge(
      'firstcome_invariant_violated',
      '1 when the last check found the invariant violated.',
      (observe) => {
        for (const [invariant, value] of Object.entries(this.violated)) {
          observe(value, { invariant });
        }
      },
    );
  }

  override async process(): Promise<void> {
    for await (const { invariant, violations, couponIds } of this.auditor.glance({
      restTimeoutMs,
    })) {
      this.violated[invariant] = violations.length > 0 ? 1 : 0;
      if (violations.length > 0) {
        const next = commandFor(couponIds ?? []);
        this.logger.error(
          { invariant, violations, coupon_ids: couponIds, command: next },
          `violated: ${invariants[invariant]}; to see what differs: ${next}`,
        );
      }
    }
  }
}

/** What to run next. It shows more than counts can; only a person adds `--apply`. */
function commandFor(couponIds: number[]): string {
  return ['firstcome reconcile', ...couponIds.map((id) => `--coupon ${id}`)].join(' ');
}
