import { expect } from 'vitest';
import { isToBeAskedAgain } from '../../../infra/harness/assign.ts';
import type { Answer, Told } from '../../../infra/harness/assign.ts';
import type { Stack } from '../../../infra/harness/stack.ts';
import type { App, AppKind } from '../../../infra/local/processes/apps.ts';
import type { CommandResult } from '../../../infra/local/processes/cli.ts';
import { eventually } from '../../../infra/local/processes/waiting.ts';
import { Rush } from './rush.ts';
import type { StackStores } from './stack-stores.ts';
import { shippedTimeouts, startStack } from './test-stack.ts';
import { verify } from './verify.ts';

export interface ScenarioOptions {
  apps?: AppKind[];
  /** Added to the settings of all processes. */
  env?: Record<string, string>;
  total?: number;
  clients?: number;
  /** How long each client rests after an answer that is final. */
  pauseMs?: number;
}

/** Whom to ask for what, where it is not the coupon of the rush and the api started last. */
export interface Asked {
  couponId?: number;
  api?: App;
}

const servingTimeoutMs = 90_000;

/**
 * A stack with a coupon, and clients that go on asking for it while something breaks. Every answer
 * that a client got is kept, and held against the stores at the end.
 */
export class FaultScenario {
  private newcomers = 0;

  private constructor(
    readonly stack: Stack,
    readonly couponId: number,
    readonly rush: Rush,
  ) {}

  /** Resolves when the processes are ready and the first clients have been served. */
  static async start({
    apps,
    env,
    total = 1_000_000,
    clients = 8,
    pauseMs = 5,
  }: ScenarioOptions = {}): Promise<FaultScenario> {
    const stack = await startStack(apps, { ...shippedTimeouts, ...env });
    const couponId = await stack.createCoupon(total);
    const rush = new Rush(stack, couponId, { clients, pauseMs });
    const scenario = new FaultScenario(stack, couponId, rush);
    try {
      await scenario.untilServed();
    } catch (error) {
      // Whoever called has no scenario to stop.
      await scenario.stop();
      throw error;
    }
    return scenario;
  }

  /** Waits until so many more have been accepted: the system is in service, by itself. */
  async untilServed(count = 50): Promise<void> {
    const target = this.rush.accepted.length + count;
    // Not `expect.poll`, which hooks may not use.
    await eventually(async () => this.rush.accepted.length >= target, servingTimeoutMs);
  }

  /** Waits until whoever asks now is issued: the issuers are in service as well. */
  async untilIssued(): Promise<void> {
    this.newcomers += 1;
    const answer = await this.rush.askFor(`newcomer-${this.newcomers}`);
    await this.issued(answer!.body.issuance_id);
  }

  /** The status of an issuance, once it is ISSUED. */
  issued(issuanceId: string): Promise<Answer['body']> {
    const look = async (): Promise<Answer['body']> => {
      const { body } = await this.stack.request(`/api/v1/issuances/${issuanceId}`);
      expect(body.status).toBe('ISSUED');
      return body;
    };
    return eventually(look, servingTimeoutMs).catch((error: unknown) => {
      const issuers = this.stack.running('issuer').map(({ output }) => output.slice(-5_000));
      throw new Error(`${issuanceId} is not issued. The issuers:\n${issuers.join('\n')}`, {
        cause: error,
      });
    });
  }

  /** Asks once, beside the rush; the answer is kept with the others. */
  async ask(userId: string, { couponId = this.couponId, api }: Asked = {}): Promise<Told> {
    const told = await this.stack.assign(couponId, userId, api === undefined ? {} : { api });
    this.rush.keep(told);
    return told;
  }

  /** Asks again as long as the answer is 503 or 408, or none comes. */
  askUntilFinal(userId: string, asked: Asked = {}): Promise<Told> {
    return eventually(async () => {
      const told = await this.ask(userId, asked);
      return isToBeAskedAgain(told) ? undefined : told;
    });
  }

  /** Loses the gate under load: it must then have shut itself, and serve again from MySQL, nobody forgotten. */
  async expectRebuilt(stores: StackStores, lose: () => Promise<unknown>): Promise<void> {
    const epoch = await stores.epochOf(this.couponId);
    await lose();
    const last = this.rush.accepted.at(-1)!;
    await this.untilServed();
    const { body } = await this.askUntilFinal(last.userId);
    expect(body.issuance_id).toBe(last.body.issuance_id);
    expect(await stores.epochOf(this.couponId)).toBeGreaterThan(epoch);
  }

  /** True of a coupon whose gate never lost anything: no repeat was told another id, not even by a 503. */
  expectOneIdEach(): void {
    const idsOf = new Map<string, Set<string>>();
    for (const { userId, body } of this.rush.answers) {
      if (body.issuance_id !== undefined) {
        idsOf.set(userId, (idsOf.get(userId) ?? new Set()).add(body.issuance_id as string));
      }
    }
    expect([...idsOf].filter(([, ids]) => ids.size > 1)).toEqual([]);
  }

  /**
   * Ends the rush once everybody has a final answer, and has `verify` check the stores, and every
   * answer against them. The stack must be in service.
   */
  async expectNothingLost(): Promise<void> {
    await this.rush.finish();
    await this.verify();
  }

  /** The same after each of several scenarios: the rush goes on afterwards. */
  async expectNothingLostSoFar(): Promise<void> {
    await this.rush.pause();
    await this.verify();
    this.rush.resume();
    await this.untilServed();
  }

  /** Ends everything and removes what it left in the stores. */
  async stop(): Promise<void> {
    await this.rush.abandon();
    await this.stack.stop();
  }

  /** What `verify` says of the stores, and of every answer so far. */
  runVerify(): Promise<CommandResult> {
    return verify(this.stack, this.rush.answers, '--wait', '90');
  }

  private async verify(): Promise<void> {
    const { exitCode, stdout, stderr } = await this.runVerify();
    expect(exitCode, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/^ok\s+I3/m);
  }
}
