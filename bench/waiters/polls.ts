import { setTimeout as delay } from 'node:timers/promises';
import { ask, assign } from '../../infra/harness/assign.ts';
import type { Api } from '../../infra/harness/assign.ts';

/** What became of people who ask when they are told to. */
export interface Polls {
  /** Of each issuance, how often its status was asked for. */
  calls: number[];
  /** When they were told to ask, by `performance.now()`. */
  due: number[];
  /** When they did: a process that stands still for a moment asks late, and all at once. */
  sent: number[];
  failures: number;
}

const slotMs = 100;

/** So many people a second assign, and poll until they are told, only ever when the last answer says so. */
export async function pollAsTold(
  api: Api,
  couponId: number,
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<Polls> {
  const polls: Polls = { calls: [], due: [], sent: [], failures: 0 };
  const people: Promise<void>[] = [];
  const startedAt = performance.now();
  for (let i = 0; i < perSecond * seconds; i += 1) {
    const early = startedAt + (i * 1_000) / perSecond - performance.now();
    if (early > 0) {
      await delay(early);
    }
    people.push(
      person(api, couponId, `poller-${i}`, polls).catch(() => void (polls.failures += 1)),
    );
  }
  await Promise.all(people);
  return polls;
}

/** Polls of the busiest 100 ms, as a multiple of the mean. */
export function crowding(pollsAt: readonly number[]): number {
  const first = Math.min(...pollsAt);
  const counts = new Map<number, number>();
  for (const at of pollsAt) {
    const slot = Math.floor((at - first) / slotMs);
    counts.set(slot, (counts.get(slot) ?? 0) + 1);
  }
  const slots = Math.max(...counts.keys()) + 1;
  return Math.max(...counts.values()) / (pollsAt.length / slots);
}

async function person(api: Api, couponId: number, userId: string, polls: Polls): Promise<void> {
  let answer = await assign(api, { couponId, userId });
  const path: string = answer.body.status_url;
  let calls = 0;
  while (answer.status === 200 && answer.body.status === 'ACCEPTED') {
    const ms = Number(answer.body.poll_after_ms ?? answer.headers.get('poll-after-ms') ?? 0);
    polls.due.push(performance.now() + ms);
    await delay(ms);
    polls.sent.push(performance.now());
    calls += 1;
    answer = { ...answer, ...(await ask(api, path)) };
  }
  if (answer.status !== 200) {
    throw new Error(answer.text);
  }
  polls.calls.push(calls);
}
