import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from '#event-log/kafkajs.ts';
import mysql from 'mysql2/promise';

/** A database, topics and keys that nothing else on these servers has, for a time. */
export class OwnSpace {
  readonly name: string;
  /** The settings that lead processes here. */
  readonly env: Record<string, string>;

  /** `purpose` begins its name; `settings` may lead to some servers in another way. */
  constructor(
    private readonly servers: Record<string, string>,
    settings: Record<string, string>,
    purpose: string,
  ) {
    this.name = `${purpose}${randomBytes(5).toString('hex')}`;
    const given = { ...servers, ...settings };
    this.env = {
      ...given,
      MYSQL_URL: withPath(given['MYSQL_URL']!, `/${this.name}`),
      GATE_KEY_PREFIX: `${this.name}:`,
      KAFKA_TOPIC_PREFIX: `${this.name}.`,
    };
  }

  /** Deletes everything in it. */
  async remove(): Promise<void> {
    const keys = [this.emptyGate(), this.emptyJobs()];
    await Promise.all([this.dropDatabase(), this.deleteTopics(), ...keys]);
  }

  /** Removes what it has in the gate Redis, as FLUSHALL would. */
  emptyGate(): Promise<void> {
    return this.deleteKeys(this.env['GATE_REDIS_URL']!);
  }

  /** The same in the Redis of the jobs. */
  emptyJobs(): Promise<void> {
    return this.deleteKeys(this.env['JOBS_REDIS_URL']!);
  }

  /** A client of its broker. */
  kafka(): Kafka {
    const brokers = this.env['KAFKA_BROKERS']!.split(',');
    return new Kafka({ brokers, logLevel: logLevel.NOTHING });
  }

  private async dropDatabase(): Promise<void> {
    const connection = await mysql.createConnection(withPath(this.servers['MYSQL_URL']!, '/'));
    await connection.query('DROP DATABASE IF EXISTS ??', [this.name]);
    await connection.end();
  }

  private async deleteTopics(): Promise<void> {
    const admin = this.kafka().admin();
    await admin.connect();
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(`${this.name}.`));
    if (topics.length > 0) {
      await admin.deleteTopics({ topics });
    }
    await admin.disconnect();
  }

  private async deleteKeys(url: string): Promise<void> {
    const redis = new Redis(url);
    try {
      for await (const keys of redis.scanStream({ match: `${this.name}:*`, count: 1_000 })) {
        if ((keys as string[]).length > 0) {
          await redis.unlink(...(keys as string[]));
        }
      }
    } finally {
      redis.disconnect();
    }
  }
}

function withPath(url: string, path: string): string {
  return new URL(path, url).toString();
}
