import { setTimeout as sleep } from 'node:timers/promises';

export interface Rush {
  baseUrl: string;
  couponId: number;
  /** How many users ask at once, one request each; a 503 is asked again, as the contract says. */
  users: number;
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

interface Outcome {
  userId: string;
  issuanceId?: string;
  failure?: string;
}

const retryDeadlineMs = 60_000;
const issuedDeadlineMs = 60_000;

/** Sends the rush, waits until every accepted issuance is decided, and counts what users have. */
export async function rush(options: Rush): Promise<RushResult> {
  const userIds = Array.from({ length: options.users }, (_, i) => `demo-${i}`);
  let answers = 0;
  const outcomes = await Promise.all(
    userIds.map(async (userId) => {
      const outcome = await assignUntilAnswered(options, userId);
      answers += 1;
      if (answers === Math.ceil(options.users / 10)) {
        options.midway();
      }
      return outcome;
    }),
  );
  return count(options, outcomes);
}

async function count(options: Rush, outcomes: Outcome[]): Promise<RushResult> {
  const result: RushResult = { issued: 0, soldOut: 0, duplicates: 0, lost: 0, failures: [] };
  for (const { userId, issuanceId, failure } of outcomes) {
    if (failure !== undefined) {
      result.failures.push(failure);
    } else if (issuanceId !== undefined && !(await isIssued(options, issuanceId))) {
      result.lost += 1;
      continue;
    }
    const wallet = await readWallet(options, userId);
    const repeat = issuanceId === undefined ? undefined : await assign(options, userId);
    if (wallet.length > 1 || (repeat && repeat.issuanceId !== issuanceId)) {
      result.duplicates += 1;
    }
    if (issuanceId !== undefined && wallet[0] !== issuanceId) {
      result.lost += 1;
    } else if (wallet.length > 0) {
      result.issued += wallet.length;
    } else if (failure === undefined) {
      result.soldOut += 1;
    }
  }
  return result;
}

/** Repeats what the contract allows to be repeated, until there is a yes or a no. */
async function assignUntilAnswered(options: Rush, userId: string): Promise<Outcome> {
  const deadline = Date.now() + retryDeadlineMs;
  for (;;) {
    const outcome = await assign(options, userId).catch(
      (error: unknown): Outcome & { retry?: boolean } => ({
        userId,
        failure: `${userId}: no answer: ${String((error as Error).cause ?? error)}`,
        retry: true,
      }),
    );
    if (!outcome.retry || Date.now() > deadline) {
      return outcome;
    }
    await sleep(250 + Math.random() * 250);
  }
}

async function assign(
  { baseUrl, couponId }: Rush,
  userId: string,
): Promise<Outcome & { retry?: boolean }> {
  const answer = await fetch(`${baseUrl}/api/v1/coupons/assign`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user_id: userId, coupon_id: couponId }),
  });
  const body = (await answer.json()) as { issuance_id?: string; code?: string };
  if (answer.status === 200 && body.issuance_id !== undefined) {
    return { userId, issuanceId: body.issuance_id };
  }
  if (answer.status === 409 && body.code === 'SOLD_OUT') {
    return { userId };
  }
  const failure = `${userId}: ${answer.status} ${body.code}`;
  return { userId, failure, retry: answer.status === 503 };
}

async function isIssued({ baseUrl }: Rush, issuanceId: string): Promise<boolean> {
  const deadline = Date.now() + issuedDeadlineMs;
  while (Date.now() < deadline) {
    const answer = await fetch(`${baseUrl}/api/v1/issuances/${issuanceId}`);
    const { status } = (await answer.json()) as { status?: string };
    if (status === 'ISSUED') {
      return true;
    }
    await sleep(100);
  }
  return false;
}

/** The ids of this coupon's issuances to a user. */
async function readWallet({ baseUrl, couponId }: Rush, userId: string): Promise<string[]> {
  const answer = await fetch(`${baseUrl}/api/v1/users/${userId}/coupons`);
  const { coupons } = (await answer.json()) as {
    coupons: { coupon_id: number; issuance_id: string }[];
  };
  return coupons.filter((held) => held.coupon_id === couponId).map((held) => held.issuance_id);
}
