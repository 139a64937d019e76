import type { AnswerJournal } from '../../harness/answer-journal.ts';
import type { Api, Told, Wish } from '../../harness/assign.ts';
import { ask } from '../../harness/assign.ts';
import { Crowd } from '../../harness/crowd.ts';
import { eventually } from '../processes/waiting.ts';

export interface Rush {
  api: Api;
  couponId: number;
  /** How many users ask at once, one request each; a 503 is asked again, as the contract says. */
  users: number;
  /** Keeps every request, and what came of it. */
  journal: AnswerJournal;
  /** Called once, when a tenth of the answers are in. */
  midway: () => void;
}

export interface RushResult {
  /** Users whose issuance is ISSUED, and in their wallet. */
  issued: number;
  soldOut: number;
  /** Users with more than one unit in their wallet, or two answers of different ids. */
  duplicates: number;
  /** Users who were told yes and have nothing. */
  lost: number;
  /** Answers that no client should ever get, in words. */
  failures: string[];
}

const deadlineMs = 60_000;

/** Sends the rush, waits until every accepted issuance is decided, and counts what users have. */
export async function rush({ api, couponId, users, journal, midway }: Rush): Promise<RushResult> {
  const crowd = new Crowd({
    apis: () => [api],
    answerTimeoutMs: deadlineMs,
    journal,
    retryAfterMs: () => 250 + Math.random() * 250,
  });
  const wishes = Array.from({ length: users }, (_, i) => ({ couponId, userId: `demo-${i}` }));
  let answers = 0;
  const told = await Promise.all(
    wishes.map(async (wish) => {
      const last = await crowd.askUntilFinal(wish, deadlineMs);
      answers += 1;
      if (answers === Math.ceil(users / 10)) {
        midway();
      }
      return last;
    }),
  );
  const result: RushResult = { issued: 0, soldOut: 0, duplicates: 0, lost: 0, failures: [] };
  for (const [i, wish] of wishes.entries()) {
    await count(crowd, api, wish, told[i], result);
  }
  return result;
}

async function count(
  crowd: Crowd,
  api: Api,
  wish: Wish,
  told: Told | undefined,
  result: RushResult,
): Promise<void> {
  const issuanceId = told?.status === 200 ? (told.body.issuance_id as string) : undefined;
  const isRefused = told?.status === 409 && told.body.code === 'SOLD_OUT';
  if (issuanceId === undefined && !isRefused) {
    const answer = told === undefined ? 'no answer' : `${told.status} ${told.body.code}`;
    result.failures.push(`${wish.userId}: ${answer}`);
  }
  if (issuanceId !== undefined && !(await becomesIssued(api, issuanceId))) {
    result.lost += 1;
    return;
  }
  const wallet = await readWallet(api, wish);
  const repeat = issuanceId === undefined ? undefined : await crowd.ask(wish);
  if (wallet.length > 1 || repeat?.body.issuance_id !== issuanceId) {
    result.duplicates += 1;
  }
  if (issuanceId !== undefined && wallet[0] !== issuanceId) {
    result.lost += 1;
  } else if (wallet.length > 0) {
    result.issued += wallet.length;
  } else if (isRefused) {
    result.soldOut += 1;
  }
}

function becomesIssued(api: Api, issuanceId: string): Promise<boolean> {
  const isIssued = async (): Promise<boolean> =>
    (await ask(api, `/api/v1/issuances/${issuanceId}`)).body.status === 'ISSUED';
  return eventually(isIssued, deadlineMs).catch(() => false);
}

/** The ids of this coupon's issuances to a user. */
async function readWallet(api: Api, { userId, couponId }: Wish): Promise<string[]> {
  const { body } = await ask(api, `/api/v1/users/${userId}/coupons`);
  const { coupons } = body as { coupons: { coupon_id: number; issuance_id: string }[] };
  return coupons.filter((held) => held.coupon_id === couponId).map((held) => held.issuance_id);
}
