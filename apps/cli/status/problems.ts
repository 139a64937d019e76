import type { Look } from './look/look.ts';
import type { Problem, Severity, SystemStatus } from './system-status.ts';
import { countOf, spanOf } from './screen/numbers.ts';

/** As the alert on lag has it: a second or two are usual under load. */
const lagMaxS = 5;
/** What has waited for longer while nothing was decided stands still. */
const stillAfterS = 1;
const pendingMaxS = 10;

const severities: Severity[] = ['BROKEN', 'BEHIND', 'ATTENTION'];
const kinds: Problem['kind'][] = [
  'conservation',
  'store_away',
  'gate_refuses',
  'gate_shut',
  'nobody_decides',
];

export function byUrgency(a: Problem, b: Problem): number {
  return (
    severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
    rankOf(a.kind) - rankOf(b.kind)
  );
}

function rankOf(kind: Problem['kind']): number {
  const rank = kinds.indexOf(kind);
  return rank === -1 ? kinds.length : rank;
}

export function problemsOf(status: SystemStatus, look: Look): Problem[] {
  return [
    ...ofConservation(status),
    ...ofStores(look),
    ...ofGates(status, look),
    ...ofLag(status),
    ...ofPending(status),
    ...ofDeadLetters(status),
    ...ofAlerts(look),
  ];
}

function ofConservation({ coupons }: SystemStatus): Problem[] {
  return coupons.flatMap(({ couponId, breach }): Problem[] =>
    breach === undefined
      ? []
      : [
          {
            severity: 'BROKEN',
            kind: 'conservation',
            says: `coupon ${couponId} does not add up: ${breach.says}`,
            remedy: `npm run firstcome -- reconcile --coupon ${couponId}`,
            couponId,
          },
        ],
  );
}

function ofStores({ gate, log, ledger, jobs }: Look): Problem[] {
  const remedy = 'npm run doctor';
  const problems: Problem[] = [];
  const tell = (store: string, problem: string | undefined, meaning: string): void => {
    if (problem !== undefined) {
      const says = `${store} is away, ${meaning} (${problem})`;
      problems.push({ severity: 'BROKEN', kind: 'store_away', says, remedy });
    }
  };
  tell('the gate Redis', gate.problem, 'nobody is admitted');
  tell('Kafka', log.problem, 'nobody is admitted and nothing is decided');
  tell('MySQL', ledger.problem, 'people are admitted and nothing is decided');
  if (jobs.problem !== undefined) {
    const says = `the job store Redis is away, audits wait (${jobs.problem})`;
    problems.push({ severity: 'ATTENTION', kind: 'jobs_away', says, remedy });
  }
  return problems;
}

function ofGates({ coupons }: SystemStatus, { gate }: Look): Problem[] {
  const refusal = gate.value?.refusal;
  const refused: Problem[] =
    refusal === undefined
      ? []
      : [
          {
            severity: 'BROKEN',
            kind: 'gate_refuses',
            says: `nobody is admitted: ${refusal}`,
            remedy: 'npm run doctor',
          },
        ];
  const shut = coupons
    .filter(({ state }) => state === 'RECOVERING')
    .map(({ couponId }): Problem => ({
      severity: 'BROKEN',
      kind: 'gate_shut',
      says: `coupon ${couponId}'s gate is shut, nobody is admitted to it`,
      remedy: 'a keeper opens it from MySQL: do keeper and issuers run?',
      couponId,
    }));
  return [...refused, ...shut];
}

function ofLag({ partitions, totals: { lag, lagSeconds, drainS } }: SystemStatus): Problem[] {
  const waiting = partitions.filter((partition) => partition.lag !== 0);
  const alone = waiting.filter(({ member }) => member === null);
  if (alone.length > 0) {
    const records = alone.reduce((sum, each) => sum + (each.lag ?? 0), 0);
    const oldest = Math.max(...alone.map((each) => each.lagSeconds ?? 0));
    const behind = oldest > 0 ? `, ${spanOf(oldest)} behind` : '';
    return [
      {
        severity: 'BEHIND',
        kind: 'nobody_decides',
        says: `${countOf(records)} records wait${behind}, and no issuer has ${partitionsOf(alone.map((each) => each.partition))}`,
        remedy: 'start an issuer',
      },
    ];
  }
  const isStill = waiting.some(
    (each) => each.decidedPerS === 0 && (each.lagSeconds ?? Infinity) > stillAfterS,
  );
  if (waiting.length === 0 || ((lagSeconds ?? 0) <= lagMaxS && !isStill)) {
    return [];
  }
  const age = lagSeconds === null ? '' : ` and ${spanOf(lagSeconds)}`;
  const [first] = waiting;
  return [
    {
      severity: 'BEHIND',
      kind: 'lag',
      says: `by ${lag === null ? 'an unknown number of' : countOf(lag)} records${age}, ${drainS === null ? 'and not catching up' : `caught up in about ${spanOf(drainS)}`}`,
      remedy: `partition ${first!.partition} is furthest behind, ${first!.member} has it: see docs/operations.md, When lag grows`,
    },
  ];
}

function partitionsOf(partitions: number[]): string {
  const [first, ...rest] = partitions.toSorted((a, b) => a - b);
  return rest.length === 0 ? `partition ${first}` : `partitions ${[first, ...rest].join(', ')}`;
}

function ofPending({ totals: { oldestPendingS, pending } }: SystemStatus): Problem[] {
  return oldestPendingS === null || oldestPendingS <= pendingMaxS
    ? []
    : [
        {
          severity: 'BEHIND',
          kind: 'pending',
          says: `${pending} reservations are not confirmed, the oldest for ${spanOf(oldestPendingS)}`,
          remedy: 'a keeper publishes them again: does one run, and does Kafka answer?',
        },
      ];
}

function ofDeadLetters({ totals: { openDeadLetters } }: SystemStatus): Problem[] {
  return openDeadLetters === null || openDeadLetters === 0
    ? []
    : [
        {
          severity: 'ATTENTION',
          kind: 'dead_letters',
          says: `${openDeadLetters} dead letters wait for somebody`,
          remedy: 'npm run firstcome -- dead-letters list',
        },
      ];
}

function ofAlerts({ alerts }: Look): Problem[] {
  if (alerts?.problem !== undefined) {
    const says = `alerts could not be asked for (${alerts.problem})`;
    const remedy = 'see ALERTMANAGER_URL and PROMETHEUS_URL';
    return [{ severity: 'ATTENTION', kind: 'alerts_unknown', says, remedy }];
  }
  return (alerts?.value ?? []).map(({ name, severity, summary }) => ({
    severity: 'ATTENTION' as const,
    kind: 'alert' as const,
    says: `alert ${name}${severity === null ? '' : ` (${severity})`}${summary === null ? '' : `: ${summary}`}`,
    remedy: `docs/runbooks/${name}.md`,
  }));
}
