import type { IHeaders } from 'kafkajs';
import { expect } from 'vitest';
import type { Stack } from '../../../infra/harness/stack.ts';
import type { CommandResult } from '../../../infra/local/processes/cli.ts';
import { eventually } from '../../../infra/local/processes/waiting.ts';
import type { Value } from './stack-log.ts';
import { StackLog } from './stack-log.ts';
import { StackStores } from './stack-stores.ts';
import { startStack } from './test-stack.ts';

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
    private readonly stores: StackStores,
    private readonly log: StackLog,
  ) {}

  static async start(): Promise<DeadLetterStack> {
    const stack = await startStack(['api', 'issuer']);
    // Longer than a foreign writer needs to be first.
    await stack.startApp('keeper', { RELAY_AFTER_MS: '10000' });
    const couponId = await stack.createCoupon(1_000);
    const stores = await StackStores.connect(stack);
    return new DeadLetterStack(stack, couponId, stores, await StackLog.connect(stack));
  }

  async stop(): Promise<void> {
    await Promise.all([this.log.close(), this.stores.close()]);
    await this.stack.stop();
  }

  /** Appends a record. */
  produce(value: Value, headers: IHeaders = {}): Promise<void> {
    return this.log.appendWith(headers, 0, value);
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
    const result = await this.stores.gate.reserve(this.couponId, [userId]);
    const outcome = result.gate === 'open' ? result.outcomes[0] : undefined;
    if (outcome?.kind !== 'reserved') {
      throw new Error(`nothing was reserved for ${userId}: ${JSON.stringify(result)}`);
    }
    return outcome.issuanceId;
  }

  /** The issuance that a user holds at the gate; null for none. */
  async holds(userId: string): Promise<string | null> {
    return (await this.stores.gate.heldBy(this.couponId, [userId]))[0]!;
  }

  /** A value of `/metrics`; NaN while it is not there. */
  async metric(kind: 'issuer' | 'keeper', line: RegExp): Promise<number> {
    const text = await this.stack.app(kind).metrics();
    return Number(line.exec(text)?.[1] ?? Number.NaN);
  }
}
