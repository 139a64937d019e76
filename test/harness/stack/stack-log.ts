import type { Admin, IHeaders, Producer } from 'kafkajs';
import { issuerGroup, topicNames } from '#event-log/topics.ts';
import type { Stack } from '../../../infra/harness/stack.ts';

/** Of a record; an object is written as JSON. */
export type Value = string | Buffer | null | object;

/** Writes to the log of a stack, as a foreign hand may, and looks how far its issuers are. */
export class StackLog {
  private constructor(
    readonly topic: string,
    private readonly groupId: string,
    private readonly producer: Producer,
    private readonly admin: Admin,
  ) {}

  static async connect({ env, space }: Stack): Promise<StackLog> {
    const prefix = env['KAFKA_TOPIC_PREFIX']!;
    const [producer, admin] = [space.kafka().producer(), space.kafka().admin()];
    await Promise.all([producer.connect(), admin.connect()]);
    return new StackLog(topicNames(prefix).requested, issuerGroup(prefix), producer, admin);
  }

  /** In this order, among the requests. */
  append(partition: number, ...values: Value[]): Promise<void> {
    return this.appendWith({}, partition, ...values);
  }

  /** The same, each with these headers. */
  async appendWith(headers: IHeaders, partition: number, ...values: Value[]): Promise<void> {
    const messages = values.map((value) => {
      const isJson = value !== null && typeof value === 'object' && !Buffer.isBuffer(value);
      return { partition, key: 'k', headers, value: isJson ? JSON.stringify(value) : value };
    });
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
