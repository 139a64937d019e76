import type { LogAdmin } from './log-admin.ts';

export interface BrokerFigures {
  brokers: number;
  controller: number | null;
  /** Partitions of the topic that nobody leads: nothing of them can be read or written. */
  leaderless: number;
  /** Partitions of which a copy is behind. */
  underReplicated: number;
}

/** Rejects when the brokers do not answer. */
export function readBrokerFigures(admin: LogAdmin, topic: string): Promise<BrokerFigures> {
  return admin.ask(async (kafkaAdmin) => {
    const { brokers, controller } = await kafkaAdmin.describeCluster();
    const { topics } = await kafkaAdmin.fetchTopicMetadata({ topics: [topic] });
    const partitions = topics.flatMap((each) => each.partitions);
    return {
      brokers: brokers.length,
      controller,
      leaderless: partitions.filter(({ leader }) => leader < 0).length,
      underReplicated: partitions.filter(({ isr, replicas }) => isr.length < replicas.length)
        .length,
    };
  });
}
