import type { KafkaBatchTransport } from '#event-log/consume/batch-transport.ts';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';

/** For how long each partition of this issuer has not come further, although there is something to do. */
export function observeStandstill({ meter }: Telemetry, transport: KafkaBatchTransport): void {
  const seen = new Map<string, { topic: string; partition: number }>();
  meter
    .createObservableGauge('firstcome_partition_stuck_seconds', {
      description:
        'Since a partition with something to do came further; 0 when it has nothing to do.',
    })
    .addCallback((result) => {
      const seconds = new Map<string, number>();
      for (const { topic, partition, seconds: since } of transport.standing()) {
        seen.set(`${topic}/${partition}`, { topic, partition });
        seconds.set(`${topic}/${partition}`, since);
      }
      // One that moves again, or is another issuer's by now, is told so: a gauge keeps its last value.
      for (const [key, labels] of seen) {
        result.observe(seconds.get(key) ?? 0, labels);
      }
    });
}
