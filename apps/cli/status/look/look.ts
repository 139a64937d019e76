import type { Coupon } from '#coupon/coupon.ts';
import type { BrokerFigures } from '#event-log/inspect/broker-figures.ts';
import { readBrokerFigures } from '#event-log/inspect/broker-figures.ts';
import type { PartitionLag } from '#event-log/inspect/consumer-lag.ts';
import type { MemberByPartition } from '#event-log/inspect/group-members.ts';
import { readGroupMembers } from '#event-log/inspect/group-members.ts';
import type { GateInspection } from '#gate/gate-replies.ts';
import type { RedisState } from '#gate/redis-state.ts';
import { readRedisState } from '#gate/redis-state.ts';
import type { LedgerFigures } from '#ledger/checks/ledger-figures.ts';
import { readLedgerFigures } from '#ledger/checks/ledger-figures.ts';
import type { Config } from '#platform/config/config.ts';
import { messageOf } from '#platform/text/error-message.ts';
import { within } from '#platform/work/waiting.ts';
import type { FiringAlert } from './alerts.ts';
import { askAlertmanager, askPrometheus } from './alerts.ts';
import type { StatusStores } from './status-stores.ts';
import { answerMs } from './status-stores.ts';
import { inOrderOfInterest } from './watched-coupons.ts';

/** What a store has told, or why it has not, in words. */
export type Told<T> = { value: T; problem?: undefined } | { value?: undefined; problem: string };

export interface LedgerLook {
  coupons: Coupon[];
  openDeadLetters: number;
  figures: LedgerFigures;
}

export interface GateLook {
  /** By its clock, in milliseconds since 1970. */
  now: number;
  gates: ReadonlyMap<number, GateInspection>;
  /** There are more, which were not looked at. */
  isCut: boolean;
  figures: RedisState;
  /** Why it admits nobody although it answers, in words. */
  refusal: string | undefined;
}

export interface LogLook {
  lags: PartitionLag[];
  members: MemberByPartition;
  /** By partition, how many seconds its first undecided record has waited; null when that is unknown. */
  delays: ReadonlyMap<number, number | null>;
  figures: BrokerFigures;
}

/** The whole system, as its stores tell it, one after the other: see `look`. */
export interface Look {
  takenAt: Date;
  /** By a clock that nobody sets. */
  atMs: number;
  ledger: Told<LedgerLook>;
  gate: Told<GateLook>;
  log: Told<LogLook>;
  jobs: Told<RedisState>;
  /** Undefined where no setting says who knows. */
  alerts: Told<FiringAlert[]> | undefined;
}

/** Gates that are looked at each time, those that matter most first. */
export const gatesMax = 200;
const keyspaceStepsMax = 20;
/** A store is connected to at the first look. */
const connectMs = 3_000;

/**
 * Looks at the system once. Each store has its own time, and one that is away is told of in its place.
 * In this order, which `conservation.ts` builds on: MySQL, then the gates, then the log.
 */
export async function look(stores: StatusStores, config: Config): Promise<Look> {
  const takenAt = new Date();
  const beside = Promise.all([
    tell(() => lookAtJobs(stores)),
    config.ALERTMANAGER_URL === undefined && config.PROMETHEUS_URL === undefined
      ? undefined
      : tell(() => askForAlerts(config)),
  ]);
  const ledger = await tell(() => lookAtLedger(stores));
  const gate = await tell(() => lookAtGate(stores, ledger.value?.coupons));
  const log = await tell(() => lookAtLog(stores));
  const [jobs, alerts] = await beside;
  return { takenAt, atMs: performance.now(), ledger, gate, log, jobs, alerts };
}

async function tell<T>(ask: () => Promise<T>): Promise<Told<T>> {
  try {
    return { value: await ask() };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

async function lookAtLedger({ ledger, coupons, deadLetters }: StatusStores): Promise<LedgerLook> {
  return within(connectMs, async () => {
    await ledger.askedSource();
    const problem = (await ledger.connectionProblem()) ?? (await ledger.schemaProblem());
    if (problem !== undefined) {
      throw new Error(problem);
    }
    return {
      figures: await readLedgerFigures(ledger),
      openDeadLetters: (await deadLetters.countOpen()).count,
      // Last: what is issued is compared with what the gates hold after that.
      coupons: await coupons.list(),
    };
  });
}

async function lookAtGate(
  { gate, gateConnection, keyspace }: StatusStores,
  coupons: Coupon[] | undefined,
): Promise<GateLook> {
  await gateConnection.connected(answerMs).catch(() => {});
  const refusal = await gateConnection.problem();
  if (refusal !== undefined && gateConnection.refusal === undefined) {
    throw new Error(refusal);
  }
  const now = await gate.now();
  coupons?.forEach(({ id, epoch }) => gate.learnEpoch(id, epoch));
  const all =
    coupons === undefined
      ? await findGates(keyspace)
      : inOrderOfInterest(coupons, now).map(({ id }) => id);
  const ids = all.slice(0, gatesMax);
  const inspections = await Promise.all(ids.map((id) => gate.inspect(id)));
  return {
    now,
    gates: new Map(ids.map((id, i) => [id, inspections[i]!])),
    isCut: all.length > ids.length,
    figures: await readRedisState(gateConnection),
    refusal,
  };
}

/** While MySQL cannot say which coupons there are. */
async function findGates(keyspace: StatusStores['keyspace']): Promise<number[]> {
  const found = new Set<number>();
  for (let step = 0; step < keyspaceStepsMax && found.size <= gatesMax; step += 1) {
    (await keyspace.step()).forEach((id) => found.add(id));
  }
  return [...found].toSorted((a, b) => a - b);
}

async function lookAtLog({ admin, issuers, lagTimes }: StatusStores): Promise<LogLook> {
  return within(connectMs, async () => {
    const askedAt = Date.now();
    const lags = await issuers.lags();
    const [members, figures] = await Promise.all([
      readGroupMembers(admin, issuers.groupId, issuers.topic),
      readBrokerFigures(admin, issuers.topic),
      // Who cannot be told how old a record is, is told that it is not known.
      lagTimes.note(lags, askedAt).catch(() => {}),
    ]);
    const delays = new Map(lags.map((lag) => [lag.partition, lagTimes.secondsOf(lag)]));
    return { lags, members, delays, figures };
  });
}

async function lookAtJobs({ jobs }: StatusStores): Promise<RedisState> {
  await jobs.connected(answerMs).catch(() => {});
  const problem = await jobs.problem();
  if (problem !== undefined) {
    throw new Error(problem);
  }
  return readRedisState(jobs);
}

function askForAlerts({ ALERTMANAGER_URL, PROMETHEUS_URL }: Config): Promise<FiringAlert[]> {
  return ALERTMANAGER_URL === undefined
    ? askPrometheus(PROMETHEUS_URL!, answerMs)
    : askAlertmanager(ALERTMANAGER_URL, answerMs);
}
