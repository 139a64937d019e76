import type { FastifyReply } from 'fastify';
import { Problem } from '../http/problem/problem.ts';
import type { Count } from './local-counter.ts';
import { SharedCounter } from './shared-counter.ts';
import type { CounterOptions } from './shared-counter.ts';

/** Who is counted; the name of the policy, too. */
export type Counted = 'user' | 'address';

/** So many requests of one user, or from one address, in a window. */
export class RequestLimit {
  /** Requests that were one too many. */
  refused = 0;
  /** As the header RateLimit-Policy says it (draft-ietf-httpapi-ratelimit-headers). */
  readonly policy: string;
  private readonly counter: SharedCounter;

  constructor(
    private readonly who: Counted,
    private readonly options: CounterOptions,
  ) {
    this.policy = `"${who}";q=${options.limit};w=${options.windowS}`;
    this.counter = new SharedCounter(options);
  }

  /** Counts a request and says in its answer what is left; the problem, where it is one too many. */
  async take(key: string, reply: FastifyReply): Promise<Problem | undefined> {
    const count = await this.counter.count(key);
    add(reply, 'ratelimit-policy', this.policy);
    add(reply, 'ratelimit', this.state(count));
    if (count.used <= this.options.limit) {
      return undefined;
    }
    this.refused += 1;
    return rateLimited(this.who, seconds(count));
  }

  private state(count: Count): string {
    const left = Math.max(0, this.options.limit - count.used);
    return `"${this.who}";r=${left};t=${seconds(count)}`;
  }
}

/** Both fields are lists, for a request may be counted twice. */
function add(reply: FastifyReply, name: string, item: string): void {
  const before = reply.getHeader(name);
  reply.header(name, before === undefined ? item : `${String(before)}, ${item}`);
}

function seconds({ endsInMs }: Count): number {
  return Math.max(1, Math.ceil(endsInMs / 1_000));
}

export function rateLimited(who: Counted, retryAfterSeconds: number): Problem {
  const whose = who === 'user' ? 'of this user' : 'from this address';
  return new Problem('RATE_LIMITED', {
    detail: `Too many requests ${whose}. Nothing was done about this one.`,
    violated_policies: [who],
    retryAfterSeconds,
  });
}
