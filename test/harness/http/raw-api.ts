import { expect } from 'vitest';
import type { RawAnswer } from './raw-client.ts';
import { exchange, rawRequest } from './raw-client.ts';

export const assignLine = 'POST /api/v1/coupons/assign';
export const json = 'Content-Type: application/json';

/** Asks an api about one coupon with requests made of bytes, each on a connection of its own. */
export class RawApi {
  constructor(
    readonly url: string,
    readonly couponId: number,
  ) {}

  bodyOf(userId: string, more = ''): string {
    return `{"user_id":"${userId}","coupon_id":${this.couponId}${more}}`;
  }

  assign(body: string | Buffer, ...headers: string[]): Promise<RawAnswer> {
    const given = headers.length === 0 ? [json] : headers;
    return exchange(this.url, rawRequest(assignLine, given, body));
  }

  get(path: string, ...headers: string[]): Promise<RawAnswer> {
    return exchange(this.url, rawRequest(`GET ${path}`, headers));
  }
}

export function expectProblem(answer: RawAnswer, status: number, code: string): void {
  expect([answer.status, answer.body.code, answer.body.status]).toEqual([status, code, status]);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.body.request_id).toEqual(expect.any(String));
  // Whatever was sent, however long, does not come back.
  expect(answer.text.length).toBeLessThan(600);
}
