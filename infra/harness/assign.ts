/** Somebody who wants a unit of a coupon. */
export interface Wish {
  couponId: number;
  userId: string;
}

/** Who can be asked. */
export interface Api {
  name: string;
  publicUrl: string;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- whoever asks knows the shape
  body: any;
}

/** When something was asked and when it was answered, by `performance.now()` of this process. */
export interface Times {
  calledMs: number;
  returnedMs: number;
}

/** An answer to a wish, and by whom. */
export interface Told extends Answer, Wish, Times {
  api: string;
}

/** The api could not do it, or what was asked came to it too late: it is to be asked again. */
export function isToBeAskedAgain({ status }: Answer): boolean {
  return status === 503 || status === 408;
}

/** Asks an api for anything; rejects when nothing comes. The body is empty where it is no JSON. */
export async function ask(api: Api, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`${api.publicUrl}${path}`, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: parse(text) };
}

/** Asks once for a unit; rejects when nothing comes. `headers` are sent beside those of the contract. */
export async function assign(
  api: Api,
  { couponId, userId }: Wish,
  { signal, headers }: { signal?: AbortSignal; headers?: Record<string, string> } = {},
): Promise<Told> {
  const calledMs = performance.now();
  const answer = await ask(api, '/api/v1/coupons/assign', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ user_id: userId, coupon_id: couponId }),
    signal: signal ?? null,
  });
  const returnedMs = performance.now();
  return { ...answer, couponId, userId, api: api.name, calledMs, returnedMs };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return {};
  }
}
