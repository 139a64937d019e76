import type { KafkaBatchTransport } from '#event-log/consume/batch-transport.ts';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';

/** For how long each partition of this issuer has not come further, although there is something to do. */
export function observeStandstill({ observed }: Telemetry, transport: KafkaBatchTransport): void {
  observed.gauge(
    'firstcome_partition_stuck_seconds',
    'Since a partition with something to do came further; 0 when it has nothing to do.',
    (observe) => {
      const standing = transport.standing();
      for (const { topic, partition } of transport.partitions()) {
        const stuck = standing.find((one) => one.topic === topic && one.partition === partition);
        observe(stuck?.seconds ?? 0, { topic, partition });
      }
    },
  );
}
