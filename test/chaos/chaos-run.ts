import { setTimeout as sleep } from 'node:timers/promises';
import { AnswerJournal } from '../../infra/harness/answer-journal.ts';
import { Stack } from '../../infra/harness/stack.ts';
import type { App } from '../../infra/local/processes/apps.ts';
import type { Instance } from '../../infra/local/processes/paths.ts';
import { waitUntil } from '../../infra/local/processes/waiting.ts';
import type { Report } from '../../infra/local/terminal/progress.ts';
import { messageOf } from '#platform/text/error-message.ts';
import { randomOf } from '../model/search/random.ts';
import { ChaosCrowd, noCounts } from './chaos-crowd.ts';
import type { Share } from './chaos-crowd.ts';
import type { ChaosResult, FaultRecord } from './chaos-result.ts';
import { faultKinds, planFaults } from './fault-plan.ts';
import type { Fault } from './fault-plan.ts';
import { injections, obstacle } from './faults.ts';
import type { Victim } from './faults.ts';
import { compareWithLedger } from './ledger-comparison.ts';
import { ServiceWatch } from './service-watch.ts';

export interface ChaosSettings {
  instance: Instance;
  /** Leads to the servers. */
  env: Record<string, string>;
  seed: number;
  seconds: number;
  requestsPerSecond: number;
  journalFile: string;
}

const kinds = ['api', 'api', 'api', 'issuer', 'issuer', 'keeper', 'keeper'] as const;
const inServiceDeadlineMs = 120_000;
const restWaitSeconds = '120';
/** What each api, and each coupon, must have answered to count as in service. */
const proofs = { ofApi: 10, ofCoupon: 3 };
const large = 1_000_000;
/** Percent of all requests. */
const smallShare = 15;

/** One run: a stack, a crowd, and the faults of a seed, one after another. */
export class ChaosRun {
  private readonly stack: Stack;
  private readonly journal: AnswerJournal;
  private readonly watch = new ServiceWatch();
  private readonly result: ChaosResult;
  private crowd: ChaosCrowd | undefined;
  private shares: Share[] = [];

  constructor(
    private readonly settings: ChaosSettings,
    private readonly report: Report,
    private readonly abort: AbortSignal,
  ) {
    // Each api has a port of its own: clients meet one that is dead or frozen. What dies starts again.
    this.stack = new Stack({
      servers: settings.env,
      env: { KAFKA_PARTITIONS: '4' },
      name: 'chaos',
      isSupervised: true,
      abort,
    });
    this.journal = new AnswerJournal(settings.journalFile);
    this.result = { seed: settings.seed, faults: [], leftOut: {}, failures: [], counts: noCounts };
  }

  /** Never rejects because of what it found, or because it was aborted: that is in the result. */
  async run(): Promise<ChaosResult> {
    try {
      await this.report.step('starting 3 apis, 2 issuers and 2 keepers', () =>
        this.stack.start(kinds),
      );
      await this.breakAndJudge();
    } catch (error) {
      this.result.failures.push(this.abort.aborted ? 'interrupted' : messageOf(error));
    } finally {
      await this.crowd?.abandon();
      await this.report.step('stopping them', () => this.stack.stop());
    }
    return this.result;
  }

  private async breakAndJudge(): Promise<void> {
    const { seconds, requestsPerSecond, seed } = this.settings;
    // Sold out after a quarter of the time; raising its total puts it on sale again.
    const small = Math.ceil((requestsPerSecond * seconds * smallShare) / 100 / 4);
    const totals = [large, large, large, small];
    const ids = await Promise.all(totals.map((total) => this.stack.createCoupon(total)));
    ids.forEach((id, i) => this.journal.created(id, totals[i]!));
    const percents = [45, 25, 15, smallShare];
    this.shares = ids.map((couponId, i) => ({ couponId, percent: percents[i]! }));
    const { apis, shares, journal, watch } = this;
    this.crowd = new ChaosCrowd({ apis, shares, journal, watch, random: randomOf(seed) });
    this.result.counts = this.crowd.counts;
    this.crowd.start(requestsPerSecond);
    await this.untilInService();
    await this.injectFaults({ changing: ids[1]!, small: ids[3]! });
    await this.report.step('the last users get their answer', () =>
      this.crowd!.close(inServiceDeadlineMs),
    );
    await this.judge();
  }

  private async injectFaults(coupons: Victim['coupons']): Promise<void> {
    const { instance, seed, seconds } = this.settings;
    const { stack, journal } = this;
    const victim = { instance, stack, journal, coupons };
    for (const kind of faultKinds) {
      const why = obstacle(kind, instance);
      if (why !== undefined) {
        this.result.leftOut[kind] = why;
      }
    }
    const startedAt = Date.now();
    for (const fault of planFaults(seed)) {
      if (Date.now() - startedAt > seconds * 1_000) {
        return;
      }
      if (this.result.leftOut[fault.kind] === undefined) {
        await sleep(fault.restMs, undefined, { signal: this.abort });
        const record = await this.inject({ ...victim, abort: this.abort }, fault);
        this.result.faults.push(record);
        this.report.line(this.describe(record, Date.now() - startedAt));
      }
    }
  }

  private async inject(victim: Victim, fault: Fault): Promise<FaultRecord> {
    this.watch.beginGaps();
    await injections[fault.kind](victim, fault).catch((error: unknown) => {
      throw new Error(`${fault.kind}: ${messageOf(error)}`);
    });
    const repairedAt = Date.now();
    await this.untilInService().catch((error: unknown) => {
      throw new Error(`after "${fault.kind}": ${messageOf(error)}`);
    });
    return {
      ...fault,
      unavailableMs: this.watch.longestGapMs,
      recoveredMs: Date.now() - repairedAt,
    };
  }

  /** Until every process is ready, every api and coupon serves, and what is accepted is issued. */
  private async untilInService(): Promise<void> {
    this.watch.beginProof();
    let missing: string[] = [];
    const look = async (): Promise<true | undefined> => {
      this.abort.throwIfAborted();
      missing = await this.unready();
      missing.push(...this.withoutProof());
      return missing.length === 0 && (await this.firstIsIssued()) ? true : undefined;
    };
    await waitUntil(look, {
      deadlineMs: inServiceDeadlineMs,
      intervalMs: 100,
      failure: () =>
        `not in service again in ${inServiceDeadlineMs / 1_000} s: ` +
        (missing.length > 0 ? missing.join(', ') : 'what was accepted is not issued'),
    });
  }

  private get apis(): App[] {
    return this.stack.apps.filter(({ plan }) => plan.kind === 'api');
  }

  /** The names of the processes that are not ready. */
  private async unready(): Promise<string[]> {
    const [refusal] = this.stack.refusals;
    if (refusal !== undefined) {
      throw refusal;
    }
    const asked = this.stack.apps.map(async (app) =>
      (await app.readiness())?.status === 200 ? [] : [app.name],
    );
    return (await Promise.all(asked)).flat();
  }

  private withoutProof(): string[] {
    const apis = this.apis.map(({ name }) => name);
    const coupons = this.shares.map(({ couponId }) => String(couponId));
    const silentApis = apis.filter((name) => this.watch.conclusions(name) < proofs.ofApi);
    const shut = coupons.filter((id) => this.watch.conclusions(id) < proofs.ofCoupon);
    return [...silentApis, ...shut.map((id) => `coupon ${id}`)];
  }

  /** An id that was given out after the repair, at the api that is asked first. */
  private async firstIsIssued(): Promise<boolean> {
    const id = this.watch.firstIssuanceId;
    if (id === undefined) {
      return false;
    }
    const signal = AbortSignal.timeout(5_000);
    const answer = await this.stack
      .request(`/api/v1/issuances/${id}`, { signal }, this.apis[0])
      .catch(() => undefined);
    return answer?.body.status === 'ISSUED';
  }

  private async judge(): Promise<void> {
    const { failures } = this.result;
    this.journal.close();
    const { exitCode, stdout, stderr } = await this.report.step('verify', () =>
      this.stack.firstcome('verify', '--journal', this.journal.file, '--wait', restWaitSeconds),
    );
    const output = stdout + stderr;
    this.result.verify = { holds: exitCode === 0, output };
    const ledger = await this.report.step('comparing every answer with the ledger', () =>
      compareWithLedger(this.journal.file, this.stack.env['MYSQL_URL']!),
    );
    this.result.ledger = ledger;
    if (exitCode !== 0) {
      failures.push(`verify (exit ${exitCode}):\n${output}`);
    }
    for (const name of ['lost', 'duplicated', 'oversold'] as const) {
      if (ledger[name] > 0) {
        failures.push(`${ledger[name]} ${name}`);
      }
    }
    failures.push(...ledger.examples, ...(this.crowd?.unexpected ?? []));
  }

  private describe(
    { kind, seconds, unavailableMs, recoveredMs }: FaultRecord,
    sinceMs: number,
  ): string {
    const at = `${Math.floor(sinceMs / 60_000)}:${String(Math.floor(sinceMs / 1_000) % 60).padStart(2, '0')}`;
    const { accepted } = this.result.counts;
    const how = seconds > 0 ? `${kind} (${seconds} s)` : kind;
    return (
      `${at.padStart(6)}  ${how}: ${(unavailableMs / 1_000).toFixed(1)} s without a 200, all served ` +
      `${(recoveredMs / 1_000).toFixed(1)} s after it; ${accepted} accepted so far`
    );
  }
}
