import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import type { AppKind } from './app.ts';
import { Rush } from './rush.ts';
import { Stack } from './stack.ts';

export interface ScenarioOptions {
  apps?: AppKind[];
  /** Added to the settings of all processes. */
  env?: Record<string, string>;
  total?: number;
  clients?: number;
  /** How long each client rests after an answer that is final. */
  pauseMs?: number;
}

const servingTimeoutMs = 90_000;

/**
 * A stack with a campaign, and clients that go on asking for it while something breaks. Every answer
 * that a client got is kept, and held against the stores at the end.
 */
export class FaultScenario {
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
    const stack = await Stack.start(apps, env);
    const couponId = await stack.createCoupon(total);
    const scenario = new FaultScenario(
      stack,
      couponId,
      new Rush(stack, couponId, { clients, pauseMs }),
    );
    await scenario.untilServed();
    return scenario;
  }

  /** Waits until so many more have been accepted: the system is in service, by itself. */
  async untilServed(count = 50): Promise<void> {
    const target = this.rush.accepted.length + count;
    // Not expect.poll, which may only be called inside a test.
    await vi.waitFor(() => expect(this.rush.accepted.length).toBeGreaterThanOrEqual(target), {
      timeout: servingTimeoutMs,
      interval: 50,
    });
  }

  /** Waits until whoever was accepted last is issued: the issuers are in service, by themselves. */
  async untilIssued(): Promise<void> {
    const { body } = this.rush.accepted.at(-1)!;
    await vi.waitFor(
      async () => {
        const answer = await this.stack.request(body.status_url);
        expect(answer.body).toMatchObject({ status: 'ISSUED' });
      },
      { timeout: servingTimeoutMs, interval: 100 },
    );
  }

  /**
   * Ends the rush once everybody has a final answer, and has `verify` check the stores, and every
   * answer against them. The stack must be in service.
   */
  async expectNothingLost(): Promise<void> {
    await this.rush.stop();
    const directory = mkdtempSync(join(tmpdir(), 'firstcome-journal-'));
    try {
      const journal = join(directory, 'answers.ndjson');
      this.rush.writeJournal(journal);
      const args = ['verify', '--journal', journal, '--wait', '90'];
      const { exitCode, stdout, stderr } = await this.stack.firstcome(...args);
      expect(exitCode, stdout + stderr).toBe(0);
      expect(stdout).toMatch(/^ok\s+I3\s/m);
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  /** Ends everything and removes what it left in the stores. */
  async stop(): Promise<void> {
    this.rush.abandon();
    await this.stack.stop();
  }
}
