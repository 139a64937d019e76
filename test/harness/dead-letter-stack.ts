import { expect } from 'vitest';
import { Kafka, logLevel } from 'kafkajs';
import { Gate } from '../../libs/gate/gate.ts';
import { GateConnection } from '../../libs/gate/gate-connection.ts';
import { eventually } from './eventually.ts';
import type { CommandResult } from './stack.ts';
import { Stack } from './stack.ts';

export interface Letter {
  id: number;
  state: string;
  reason: string;
  offset: string;
  [field: string]: unknown;
}

/** A stack with a coupon on partition 0, and a foreign writer to that partition. */
export class DeadLetterStack {
  private constructor(
    readonly stack: Stack,
    readonly couponId: number,
  ) {}

  static async start(): Promise<DeadLetterStack> {
    const stack = await Stack.start(['api', 'issuer']);
    // Longer than a foreign writer needs to be first.
    await stack.startApp('keeper', { RELAY_AFTER_MS: '10000' });
    return new DeadLetterStack(stack, await stack.createCoupon(1_000));
  }

  stop(): Promise<void> {
    return this.stack.stop();
  }

  kafka(): Kafka {
    const brokers = this.stack.env['KAFKA_BROKERS']!.split(',');
    return new Kafka({ brokers, logLevel: logLevel.NOTHING });
  }

  /** Appends a record; an object as JSON. */
  async produce(
    value: string | Buffer | null | object,
    headers: Record<string, string | Buffer> = {},
  ): Promise<void> {
    const producer = this.kafka().producer();
    await producer.connect();
    const isJson = value !== null && typeof value === 'object' && !Buffer.isBuffer(value);
    const bytes = isJson ? JSON.stringify(value) : value;
    await producer.send({
      topic: `${this.stack.name}.coupon.issuance.requested`,
      messages: [{ partition: 0, key: 'k', value: bytes, headers }],
    });
    await producer.disconnect();
  }

  command(...args: string[]): Promise<CommandResult> {
    return this.stack.firstcome('dead-letters', ...args);
  }

  async json<T>(...args: string[]): Promise<T> {
    const { stdout } = await this.command(...args, '--json');
    return JSON.parse(stdout) as T;
  }

  openLetters(): Promise<Letter[]> {
    return this.json<Letter[]>('list', '--limit', '10000');
  }

  allLetters(): Promise<Letter[]> {
    return this.json<Letter[]>('list', '--all', '--limit', '10000');
  }

  /** Writes something to the log that is no request of ours, and waits until it is kept. */
  async letterOf(...record: Parameters<DeadLetterStack['produce']>): Promise<Letter> {
    const known = (await this.allLetters()).at(-1)?.id ?? 0;
    await this.produce(...record);
    return eventually(async () => (await this.allLetters()).find(({ id }) => id > known));
  }

  /** The status of an issuance once it is ISSUED. */
  async issuedUnder(issuanceId: string): Promise<Record<string, unknown>> {
    return eventually(async () => {
      const { body } = await this.stack.request(`/api/v1/issuances/${issuanceId}`);
      return body.status === 'ISSUED' ? body : undefined;
    });
  }

  async expectNextToBeIssued(userId: string): Promise<void> {
    const { status, body } = await this.stack.assign(this.couponId, userId);
    expect(status).toBe(200);
    expect(await this.issuedUnder(body.issuance_id)).toMatchObject({ user_id: userId });
  }

  async expectAllInvariants(): Promise<void> {
    const { stdout, exitCode } = await this.stack.firstcome('verify');
    expect(stdout).not.toContain('FAIL');
    expect(exitCode).toBe(0);
  }

  /** Takes a unit and leaves it at that, as an api does that dies; returns the issuance id. */
  async reserve(userId: string): Promise<string> {
    const result = await this.withGate((gate) => gate.reserve(this.couponId, [userId]));
    const outcome = result.gate === 'open' ? result.outcomes[0] : undefined;
    if (outcome?.kind !== 'reserved') {
      throw new Error(`nothing was reserved for ${userId}: ${JSON.stringify(result)}`);
    }
    return outcome.issuanceId;
  }

  /** The issuance that a user holds at the gate; null for none. */
  async holds(userId: string): Promise<string | null> {
    return (await this.withGate((gate) => gate.heldBy(this.couponId, [userId])))[0]!;
  }

  private async withGate<Result>(ask: (gate: Gate) => Promise<Result>): Promise<Result> {
    const { env } = this.stack;
    const connection = new GateConnection({
      GATE_REDIS_URL: env['GATE_REDIS_URL']!,
      GATE_REDIS_CA_FILE: undefined,
      GATE_TIMEOUT_MS: 1_000,
    });
    await connection.connected();
    return ask(new Gate(connection, env['GATE_KEY_PREFIX']!)).finally(() => connection.close());
  }

  /** A value of `/metrics`; NaN while it is not there. */
  async metric(kind: 'issuer' | 'keeper', line: RegExp): Promise<number> {
    const text = await (await fetch(`${this.stack.app(kind).internalUrl}/metrics`)).text();
    return Number(line.exec(text)?.[1] ?? Number.NaN);
  }
}
