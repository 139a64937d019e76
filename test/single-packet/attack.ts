import { createConnection } from 'mysql2/promise';
import type { Stack } from '../../infra/harness/stack.ts';
import { waitUntil } from '../../infra/local/processes/waiting.ts';
import type { Burst } from './bursts.ts';

/** Requests that end at the same moment: as many as fit into one packet. */
export const burstSize = 30;

export interface AttackResult {
  rounds: number;
  answers: number;
  /** Answers by their status. */
  statuses: Record<number, number>;
  /** Users whose answers of 200 did not all have one id. */
  usersWithSeveralIds: number;
  /** In MySQL, when all is decided. */
  issued: number;
  usersIssued: number;
}

/** In each round another user sends the same assign thirty times at one moment. */
export async function attack(
  stack: Stack,
  couponId: number,
  burst: Burst,
  rounds: number,
): Promise<AttackResult> {
  const statuses: Record<number, number> = {};
  let usersWithSeveralIds = 0;
  for (let round = 0; round < rounds; round += 1) {
    const body = JSON.stringify({ user_id: `attacker-${round}`, coupon_id: couponId });
    const answers = await burst.send(body);
    answers.forEach(({ status }) => (statuses[status] = (statuses[status] ?? 0) + 1));
    const ids = new Set(answers.filter(({ status }) => status === 200).map((a) => a.issuanceId));
    usersWithSeveralIds += ids.size === 1 ? 0 : 1;
  }
  const { issued, users } = await issuedOf(stack, couponId, rounds);
  return {
    rounds,
    answers: rounds * burstSize,
    statuses,
    usersWithSeveralIds,
    issued,
    usersIssued: users,
  };
}

/** What MySQL has, once that is as many as there were users and the issuers have nothing before them. */
async function issuedOf(stack: Stack, couponId: number, least: number) {
  const connection = await createConnection(stack.env['MYSQL_URL']!);
  try {
    const count = async () => {
      const [rows] = await connection.query(
        'SELECT COUNT(*) AS issued, COUNT(DISTINCT user_id) AS users FROM issuance WHERE coupon_id = ?',
        [couponId],
      );
      return (rows as { issued: number; users: number }[])[0]!;
    };
    await waitUntil(async () => ((await count()).issued >= least ? true : undefined), {
      deadlineMs: 60_000,
      failure: () => 'not everybody who was told 200 is issued',
    });
    // What one request more had taken would show here: in the gate, in the log, or as a refusal.
    await stack.firstcomeOrThrow('verify');
    return await count();
  } finally {
    await connection.end();
  }
}
