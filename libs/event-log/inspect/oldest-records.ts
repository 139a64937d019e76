import type { LogAdmin } from './log-admin.ts';

/** Whether a partition of the topic still holds a record written before `time`. Rejects like LogAdmin.ask. */
export function holdsOlderThan(admin: LogAdmin, topic: string, time: number): Promise<boolean> {
  return admin.ask(async (kafkaAdmin) => {
    const firstSince = await kafkaAdmin.fetchTopicOffsetsByTimestamp(topic, time);
    const offsets = await kafkaAdmin.fetchTopicOffsets(topic);
    const starts = new Map(offsets.map(({ partition, low }) => [partition, Number(low)]));
    return firstSince.some(
      ({ partition, offset }) => Number(offset) > (starts.get(partition) ?? 0),
    );
  });
}
