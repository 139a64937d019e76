export interface Api {
  name: string;
  url: string;
}

export interface AssignAnswer {
  status: number;
  replayed: boolean;
  text: string;
  /** Empty where the text is no JSON. */
  body: { issuance_id?: string; coupon_id?: number; user_id?: string; code?: string };
}

/** Asks once; rejects when nothing comes. */
export async function assign(
  api: Api,
  { couponId, userId }: { couponId: number; userId: string },
  signal: AbortSignal,
): Promise<AssignAnswer> {
  const answer = await fetch(`${api.url}/api/v1/coupons/assign`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user_id: userId, coupon_id: couponId }),
    signal,
  });
  const replayed = answer.headers.get('idempotent-replayed') === 'true';
  const text = await answer.text();
  return { status: answer.status, replayed, text, body: parse(text) };
}

function parse(text: string): AssignAnswer['body'] {
  try {
    return JSON.parse(text) as AssignAnswer['body'];
  } catch {
    return {};
  }
}
