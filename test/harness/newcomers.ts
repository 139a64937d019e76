import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** What somebody saw who came once. */
export interface Visit {
  userId: string;
  status: number;
  tookMs: number;
  retryAfter: number;
  body: { code?: string; issuance_id?: string };
}

/** Each request comes over a connection of its own, as people do who come in a rush. */
const agent = new Agent({ keepAlive: false });
const timeoutMs = 30_000;

/** People who come one after another, at a rate, while something else keeps the api busy. */
export class Newcomers {
  readonly visits: Visit[] = [];
  private readonly leaving = new AbortController();
  private readonly coming: Promise<void>;
  private readonly under = new Set<Promise<void>>();

  constructor(
    private readonly url: string,
    private readonly couponId: number,
    /** Begins their names. */
    private readonly run: string,
    { perSecond, afterMs }: { perSecond: number; afterMs: number },
  ) {
    this.coming = this.come(1_000 / perSecond, afterMs);
  }

  /** Nobody new; rejects when a request got no answer. */
  async stop(): Promise<Visit[]> {
    this.leaving.abort();
    await this.coming;
    await Promise.all(this.under);
    return this.visits;
  }

  private async come(everyMs: number, afterMs: number): Promise<void> {
    await delay(afterMs);
    for (let count = 0; !this.leaving.signal.aborted; count += 1) {
      this.under.add(this.visit(`${this.run}-newcomer-${count}`));
      await delay(everyMs);
    }
  }

  private async visit(userId: string): Promise<void> {
    const startedAt = performance.now();
    const body = JSON.stringify({ user_id: userId, coupon_id: this.couponId });
    const { status, retryAfter, text } = await this.post(body);
    const tookMs = performance.now() - startedAt;
    this.visits.push({ userId, status, tookMs, retryAfter, body: JSON.parse(text) });
  }

  private post(body: string): Promise<{ status: number; retryAfter: number; text: string }> {
    return new Promise((resolve, reject) => {
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      };
      const options = { method: 'POST', headers, agent, timeout: timeoutMs };
      const sent = request(`${this.url}/api/v1/coupons/assign`, options, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => {
          const retryAfter = Number(response.headers['retry-after']);
          resolve({ status: response.statusCode!, retryAfter, text });
        });
      });
      sent.on('timeout', () => sent.destroy(new Error(`no answer in ${timeoutMs} ms`)));
      sent.on('error', reject);
      sent.end(body);
    });
  }
}
