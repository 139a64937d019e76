import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import mysql from 'mysql2/promise';

/** A database, topics and keys that nothing else on these servers has, for a time. */
export class OwnSpace {
  readonly name: string;
  /** The settings that lead processes here. */
  readonly env: Record<string, string>;
  private readonly servers: Record<string, string>;

  /** `purpose` begins its name. */
  constructor(servers: Record<string, string>, purpose = 'bench') {
    this.name = `${purpose}${randomBytes(5).toString('hex')}`;
    const mysqlUrl = new URL(servers['MYSQL_URL'] ?? '');
    mysqlUrl.pathname = `/${this.name}`;
    this.servers = servers;
    this.env = {
      ...servers,
      MYSQL_URL: mysqlUrl.toString(),
      GATE_KEY_PREFIX: `${this.name}:`,
      KAFKA_TOPIC_PREFIX: `${this.name}.`,
    };
  }

  /** Deletes everything in it. */
  async remove(): Promise<void> {
    await Promise.all([this.dropDatabase(), this.deleteTopics(), this.deleteKeys()]);
  }

  private async dropDatabase(): Promise<void> {
    const url = new URL(this.servers['MYSQL_URL'] ?? '');
    url.pathname = '/';
    const connection = await mysql.createConnection(url.toString());
    await connection.query('DROP DATABASE IF EXISTS ??', [this.name]);
    await connection.end();
  }

  private async deleteTopics(): Promise<void> {
    const brokers = (this.servers['KAFKA_BROKERS'] ?? '').split(',');
    const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(`${this.name}.`));
    if (topics.length > 0) {
      await admin.deleteTopics({ topics });
    }
    await admin.disconnect();
  }

  private async deleteKeys(): Promise<void> {
    for (const url of [this.servers['GATE_REDIS_URL'], this.servers['JOBS_REDIS_URL']]) {
      const redis = new Redis(url ?? '');
      for await (const keys of redis.scanStream({ match: `${this.name}:*`, count: 1_000 })) {
        if ((keys as string[]).length > 0) {
          await redis.unlink(...(keys as string[]));
        }
      }
      redis.disconnect();
    }
  }
}
