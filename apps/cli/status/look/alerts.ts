import { z } from 'zod';

/** An alert that fires now. */
export interface FiringAlert {
  name: string;
  severity: string | null;
  summary: string | null;
  since: string | null;
}

const told = z.object({
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()).default({}),
});
const ofAlertmanager = z.array(told.extend({ startsAt: z.string() }));
const ofPrometheus = z.object({
  data: z.object({ alerts: z.array(told.extend({ state: z.string(), activeAt: z.string() })) }),
});

/** Those of Alertmanager that nobody has silenced. Rejects when it does not answer in time. */
export async function askAlertmanager(url: string, limitMs: number): Promise<FiringAlert[]> {
  const answer = await ask(
    `${url}/api/v2/alerts?active=true&silenced=false&inhibited=false`,
    limitMs,
  );
  return ofAlertmanager
    .parse(answer)
    .map(({ startsAt, ...alert }) => toAlert(alert, startsAt))
    .toSorted(bySeverity);
}

/** Those that fire by the rules of Prometheus, silenced or not. Rejects when it does not answer in time. */
export async function askPrometheus(url: string, limitMs: number): Promise<FiringAlert[]> {
  const { data } = ofPrometheus.parse(await ask(`${url}/api/v1/alerts`, limitMs));
  return data.alerts
    .filter(({ state }) => state === 'firing')
    .map(({ activeAt, ...alert }) => toAlert(alert, activeAt))
    .toSorted(bySeverity);
}

async function ask(url: string, limitMs: number): Promise<unknown> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(limitMs) });
  if (!answer.ok) {
    throw new Error(`it answers ${answer.status}`);
  }
  return answer.json();
}

function toAlert({ labels, annotations }: z.output<typeof told>, since: string): FiringAlert {
  return {
    name: labels['alertname'] ?? 'without a name',
    severity: labels['severity'] ?? null,
    summary: annotations['summary'] ?? null,
    since,
  };
}

const worstFirst = ['critical', 'page', 'warning', 'info'];

function bySeverity(a: FiringAlert, b: FiringAlert): number {
  return rankOf(a) - rankOf(b) || a.name.localeCompare(b.name);
}

function rankOf({ severity }: FiringAlert): number {
  const rank = worstFirst.indexOf(severity ?? '');
  return rank === -1 ? worstFirst.length : rank;
}
