import type { Admin, Producer } from 'kafkajs';
import { Kafka, logLevel } from 'kafkajs';
import { issuerGroup, topicNames } from '#event-log/topics.ts';
import type { Stack } from './stack.ts';

/** Writes to the log of a stack, as a foreign hand may, and looks how far its issuers are. */
export class StackLog {
  private constructor(
    private readonly topic: string,
    private readonly groupId: string,
    private readonly producer: Producer,
    private readonly admin: Admin,
  ) {}

  static async connect({ env }: Stack): Promise<StackLog> {
    const brokers = env['KAFKA_BROKERS']!.split(',');
    const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
    const prefix = env['KAFKA_TOPIC_PREFIX']!;
    const [producer, admin] = [kafka.producer(), kafka.admin()];
    await Promise.all([producer.connect(), admin.connect()]);
    return new StackLog(topicNames(prefix).requested, issuerGroup(prefix), producer, admin);
  }

  /** In this order, among the requests; an object as JSON. */
  async append(partition: number, ...values: (string | object)[]): Promise<void> {
    const messages = values.map((value) => ({
      partition,
      key: 'foreign',
      value: typeof value === 'string' ? value : JSON.stringify(value),
    }));
    await this.producer.send({ topic: this.topic, messages });
  }

  /** The offset of the next record that the issuers will get. */
  async committed(partition: number): Promise<number> {
    const topics = [this.topic];
    const [entry] = await this.admin.fetchOffsets({ groupId: this.groupId, topics });
    return Number(entry!.partitions.find((each) => each.partition === partition)!.offset);
  }

  /** Has the issuers go on there; none may be running. */
  async moveTo(partition: number, offset: number): Promise<void> {
    const partitions = [{ partition, offset: String(offset) }];
    await this.admin.setOffsets({ groupId: this.groupId, topic: this.topic, partitions });
  }

  async close(): Promise<void> {
    await Promise.all([this.producer.disconnect(), this.admin.disconnect()]);
  }
}
