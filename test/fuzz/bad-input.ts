import { json } from '../harness/http/raw-api.ts';
import { rawRequest } from '../harness/http/raw-client.ts';

/** The user of each input that is valid after all: he has his unit before, so nothing is reserved. */
export const holder = 'holder';

/** What is sent on a connection of its own, and what is right to answer. */
export interface BadInput {
  name: string;
  /** Several are sent one after the other, with a short pause between them. */
  pieces: (string | Buffer)[];
  /** Of the first answer; without it any 4xx that is a problem will do, and so does a closed connection. */
  status?: number;
}

export type Given = [name: string, what: string | Buffer, status?: number];

export function inputs(kind: string, given: Given[], bytesOf: (what: string | Buffer) => Buffer) {
  return given.map(([name, what, status]): BadInput => {
    const input = { name: `${kind}: ${name}`, pieces: [bytesOf(what)] };
    return status === undefined ? input : { ...input, status };
  });
}

export const assignPath = '/api/v1/coupons/assign';

export function assignOf(body: string | Buffer, ...headers: string[]): Buffer {
  return rawRequest(`POST ${assignPath}`, headers.length === 0 ? [json] : headers, body);
}

export function wish(couponId: number, userId = holder): string {
  return JSON.stringify({ user_id: userId, coupon_id: couponId });
}
