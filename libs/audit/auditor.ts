import { setTimeout as delay } from 'node:timers/promises';
import type { Coupon } from '#coupon/coupon.ts';
import { sellingState } from '#coupon/coupon.ts';
import { sumOf } from '#event-log/inspect/consumer-lag.ts';
import type { IssuerProgress } from '#event-log/inspect/issuer-progress.ts';
import type { Kafka } from '#event-log/kafka-client.ts';
import { AuditQueries } from '#ledger/audit-queries.ts';
import { CouponLedger } from '#ledger/coupons/coupon-ledger.ts';
import { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import type { LedgerConnection } from '#ledger/connection/ledger-connection.ts';
import type { Gate } from '#gate/gate.ts';
import type { GateInspection } from '#gate/gate-replies.ts';
import type { Finding } from './finding.ts';
import { checkHolderCounts, checkHolders, checkStock } from './gate-checks.ts';
import { checkHistory } from './history/history-check.ts';
import { checkJournal } from './journal-check.ts';
import { checkOnePerUser, checkRedemptions, checkTotals } from './ledger-checks.ts';
import { checkLog } from './log-check.ts';

const restPollMs = 200;
const none: ReadonlySet<number> = new Set();

/** Checks the invariants of the system against its live stores; reads only. */
export class Auditor {
  private readonly queries: AuditQueries;
  private readonly coupons: CouponLedger;
  private readonly issuances: IssuanceLedger;

  constructor(
    ledger: LedgerConnection,
    private readonly gate: Gate,
    private readonly kafka: Kafka,
    private readonly issuers: IssuerProgress,
  ) {
    this.queries = new AuditQueries(ledger);
    this.coupons = new CouponLedger(ledger);
    this.issuances = new IssuanceLedger(ledger);
  }

  /**
   * Yields one finding per invariant, in order. Waits up to `restTimeoutMs` for the system to come to
   * rest first (nothing pending, no lag); I5 and I6 are skipped when it does not. I3 and I7 need a
   * journal, a file of NDJSON: see journal-lines.ts.
   */
  async *check(options: { journal?: string; restTimeoutMs: number }): AsyncGenerator<Finding> {
    const unrest = await this.awaitRest(options.restTimeoutMs);
    const coupons = await this.coupons.list();
    yield await checkTotals(this.queries);
    yield await checkOnePerUser(this.queries);
    yield options.journal === undefined
      ? skipped('I3', 'no --journal was given')
      : await checkJournal(options.journal, this.queries);
    yield await checkStock(this.gate, coupons);
    if (unrest !== undefined) {
      yield skipped('I5', unrest);
      yield skipped('I6', unrest);
    } else {
      yield await this.whileAtRest(() => checkHolders(this.gate, this.issuances, coupons));
      yield await this.whileAtRest(() => checkLog(this.kafka, this.issuers.topic, this.queries));
    }
    yield options.journal === undefined
      ? skipped('I7', 'no --journal was given')
      : await checkHistory(options.journal);
    yield await checkRedemptions(this.queries);
  }

  /**
   * A look that costs the stores next to nothing, to be taken all the time: I4, and of I5 only whether
   * the gate holds as many as MySQL has issued, which is left out while the system is busy.
   */
  async *glance(options: { restTimeoutMs: number }): AsyncGenerator<Finding> {
    const settled = new Set<number>();
    const coupons = await this.coupons.list();
    const byId = new Map(coupons.map((coupon) => [coupon.id, coupon]));
    const inspect = async (id: number): Promise<GateInspection> => {
      const gate = await this.gate.inspect(id);
      if (isSettled(byId.get(id)!, gate)) {
        settled.add(id);
      }
      return gate;
    };
    // Before any waiting: a gate whose stock has drifted shuts itself, and a recovery mends it.
    yield await checkStock({ inspect }, coupons, { mayBeShut: true });
    if ((await this.awaitRest(options.restTimeoutMs, settled)) === undefined) {
      const counts = await this.whileAtRest(
        async () => checkHolderCounts(this.gate, await this.listOthers(settled)),
        settled,
      );
      if (counts.skipped === undefined) {
        yield { ...counts, checked: counts.checked + settled.size };
      }
    }
  }

  private async listOthers(settled: ReadonlySet<number>): Promise<Coupon[]> {
    return (await this.coupons.list()).filter(({ id }) => !settled.has(id));
  }

  /**
   * A check that takes several reads is no proof of a violation when requests came in between; nor when
   * they came before it, and issuers have still to decide them.
   */
  private async whileAtRest(check: () => Promise<Finding>, settled = none): Promise<Finding> {
    const before = await this.activity(settled);
    const finding = await check();
    if (finding.violations.length === 0) {
      return finding;
    }
    const unrest = await this.describeUnrest(settled);
    if ((await this.activity(settled)) !== before) {
      return skipped(finding.invariant, 'not at rest: requests came in during the check');
    }
    return unrest === undefined ? finding : skipped(finding.invariant, unrest);
  }

  /** Changes with every request that is admitted, written to the log, or decided. */
  private async activity(settled: ReadonlySet<number>): Promise<string> {
    const [coupons, lags] = await Promise.all([this.listOthers(settled), this.issuers.lags()]);
    const gates = await Promise.all(coupons.map(({ id }) => this.gate.inspect(id)));
    return JSON.stringify([
      gates.map(({ epoch, holders, pending }) => [epoch, holders, pending]),
      lags.map(({ committed, high }) => [committed, high]),
    ]);
  }

  /** Why the system is not at rest, in words; `undefined` once it is. */
  private async awaitRest(timeoutMs: number, settled = none): Promise<string | undefined> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const unrest = await this.describeUnrest(settled);
      if (unrest === undefined || performance.now() > deadline) {
        return unrest;
      }
      await delay(restPollMs);
    }
  }

  private async describeUnrest(settled: ReadonlySet<number>): Promise<string | undefined> {
    for (const { id } of await this.listOthers(settled)) {
      const { gate, pending } = await this.gate.inspect(id);
      if (gate !== 'open') {
        return `not at rest: the gate of coupon ${id} is not open`;
      }
      if (pending > 0) {
        return `not at rest: coupon ${id} has ${pending} reservations pending`;
      }
    }
    const lag = sumOf(await this.issuers.lags());
    return lag === 0
      ? undefined
      : `not at rest: the issuers are ${lag ?? 'nobody knows how many'} records behind`;
  }
}

/** It has ended, and the gate holds as many as MySQL has issued: nothing of it changes any more. */
function isSettled(coupon: Coupon, gate: GateInspection): boolean {
  const hasEnded = sellingState(coupon, 0, gate.now) === 'CLOSED';
  return (
    hasEnded &&
    gate.gate === 'open' &&
    gate.version === coupon.version &&
    gate.pending === 0 &&
    gate.holders === coupon.issued
  );
}

function skipped(invariant: Finding['invariant'], reason: string): Finding {
  return { invariant, violations: [], checked: 0, skipped: reason };
}
