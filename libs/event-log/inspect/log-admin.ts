import type { Admin, Kafka } from 'kafkajs';
import { type BackOff, backOffMs, pauseFor } from '#platform/work/waiting.ts';
import { isCoordinatorAway } from './coordinator-error.ts';
import { RenewedConnection } from './renewed-connection.ts';

const retryBackOff: BackOff = { firstMs: 100, maxMs: 1_000 };

/**
 * Asks the brokers about offsets. Connects when first asked, and anew after any failure, so that it
 * outlives brokers that come and go. Every method rejects when the brokers do not answer.
 */
export class LogAdmin {
  private readonly connection: RenewedConnection<Admin>;

  constructor(
    kafka: Kafka,
    private readonly answerTimeoutMs = 10_000,
  ) {
    this.connection = new RenewedConnection(async () => {
      const admin = kafka.admin();
      await admin.connect();
      return admin;
    });
  }

  /**
   * Asks one question, for at most `answerTimeoutMs`; again while the coordinator of a group is not
   * there yet. A connection that failed is not used again.
   */
  async ask<Answer>(question: (admin: Admin) => Promise<Answer>): Promise<Answer> {
    const expired = new AbortController();
    try {
      return await this.connection.use(this.answerTimeoutMs, (admin) =>
        askUntilTold(admin, question, expired.signal),
      );
    } finally {
      expired.abort();
    }
  }

  /** Never rejects; a later question connects again. */
  close(): Promise<void> {
    return this.connection.close();
  }
}

async function askUntilTold<Answer>(
  admin: Admin,
  question: (admin: Admin) => Promise<Answer>,
  expired: AbortSignal,
): Promise<Answer> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await question(admin);
    } catch (error) {
      if (expired.aborted || !isCoordinatorAway(error)) {
        throw error;
      }
      await pauseFor(backOffMs(retryBackOff, failures), expired);
    }
  }
}

/** How many partitions a topic has. Rejects like LogAdmin.ask. */
export function partitionCount(admin: LogAdmin, topic: string): Promise<number> {
  return admin.ask(async (kafkaAdmin) => {
    const { topics } = await kafkaAdmin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]?.partitions.length ?? 0;
  });
}

/** The end of every partition: the offset its next record will get. Rejects like LogAdmin.ask. */
export function latestOffsets(admin: LogAdmin, topic: string): Promise<Map<number, number>> {
  return admin.ask(async (kafkaAdmin) => {
    const ends = await kafkaAdmin.fetchTopicOffsets(topic);
    return new Map(ends.map(({ partition, high }) => [partition, Number(high)]));
  });
}
