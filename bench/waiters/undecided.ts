import { setTimeout as delay } from 'node:timers/promises';
import type { Producer } from 'kafkajs';
import { toIssuanceRequested } from '#coupon/events.ts';
import type { IssuanceRequest } from '#coupon/issuance-request.ts';
import { reservedAtOf } from '#coupon/issuance.ts';
import { topicNames } from '#event-log/topics.ts';
import { GateConnection } from '#gate/gate-connection.ts';
import { Gate } from '#gate/gate.ts';
import { environmentSchema } from '#platform/config/config.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import { ReadableError } from '../../infra/local/terminal/readable-error.ts';

const reserveSize = 500;
const tickMs = 20;

/** Requests that are reserved and not in the log yet: nobody decides them before they are published. */
export class Undecided {
  private readonly requests: IssuanceRequest[] = [];

  private constructor(
    private readonly producer: Producer,
    private readonly topic: string,
  ) {}

  static async reserve(stack: Stack, couponId: number, count: number): Promise<Undecided> {
    const connection = new GateConnection(environmentSchema.parse(stack.env));
    await connection.connected();
    const gate = new Gate(connection, stack.env['GATE_KEY_PREFIX']!);
    const producer = stack.space.kafka().producer();
    await producer.connect();
    const topic = topicNames(stack.env['KAFKA_TOPIC_PREFIX']!).requested;
    const undecided = new Undecided(producer, topic);
    for (let from = 0; from < count; from += reserveSize) {
      const size = Math.min(reserveSize, count - from);
      const users = Array.from({ length: size }, (_, i) => `waiter-${from + i}`);
      const reserved = await gate.reserve(couponId, users);
      if (reserved.gate !== 'open') {
        throw new ReadableError(`The gate of coupon ${couponId} is ${reserved.gate}.`);
      }
      for (const [i, outcome] of reserved.outcomes.entries()) {
        if (outcome.kind !== 'reserved') {
          throw new ReadableError(`Nothing was reserved for ${users[i]}: ${outcome.kind}`);
        }
        const { issuanceId } = outcome;
        const reservedAt = reservedAtOf(issuanceId)!;
        const userId = users[i]!;
        const request = { issuanceId, couponId, userId, epoch: reserved.epoch, reservedAt };
        undecided.requests.push({ ...request, traceparent: undefined });
      }
    }
    connection.close();
    return undecided;
  }

  get issuanceIds(): string[] {
    return this.requests.map(({ issuanceId }) => issuanceId);
  }

  /** Has them decided, so many a second, in any order. */
  async publish(perSecond: number): Promise<void> {
    const shuffled = this.requests
      .map((request) => ({ request, at: Math.random() }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ request }) => JSON.stringify(toIssuanceRequested(request)));
    const startedAt = performance.now();
    let sent = 0;
    while (sent < shuffled.length) {
      const due = Math.floor(((performance.now() - startedAt) * perSecond) / 1_000);
      const values = shuffled.slice(sent, due);
      sent += values.length;
      if (values.length > 0) {
        const messages = values.map((value) => ({ partition: 0, key: 'k', value }));
        await this.producer.send({ topic: this.topic, messages, acks: -1 });
      }
      await delay(tickMs);
    }
  }

  async close(): Promise<void> {
    await this.producer.disconnect();
  }
}
