import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Kafka, logLevel } from '#event-log/kafkajs.ts';
import { readTopic } from '#event-log/inspect/log-reader.ts';
import { eventually } from '../../infra/local/processes/waiting.ts';
import type { Answer } from '../../infra/harness/assign.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import { StackLog } from '../harness/stack/stack-log.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';
import { startStack } from '../harness/stack/test-stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack(['api', 'issuer', 'issuer', 'keeper']);
});
afterAll(() => stack.stop());

async function issuedCount(couponId: number): Promise<number> {
  const { stdout } = await stack.firstcome('coupon', 'show', String(couponId), '--json');
  return (JSON.parse(stdout) as { issued: number }).issued;
}

/** So many at once may be more than the api takes on: again, as a 503 says. */
function assignAdmitted(couponId: number, userId: string): Promise<Answer> {
  return eventually(async () => {
    const answer = await stack.assign(couponId, userId);
    return answer.status !== 503 && answer;
  });
}

describe('issuers', () => {
  it('issue everything exactly once although one is killed in the middle', async () => {
    const coupons = await Promise.all([stack.createCoupon(300), stack.createCoupon(300)]);
    const rush = Promise.all(
      coupons.flatMap((couponId) =>
        Array.from({ length: 400 }, (_, i) => assignAdmitted(couponId, `user-${i}`)),
      ),
    );
    await expect.poll(() => issuedCount(coupons[0]), { timeout: 20_000 }).toBeGreaterThan(0);
    await stack.apps.find(({ plan }) => plan.kind === 'issuer')!.kill();

    const answers = await rush;
    const accepted = answers.filter(({ status }) => status === 200);
    expect(accepted).toHaveLength(600);
    expect(answers.filter(({ body }) => body.code === 'SOLD_OUT')).toHaveLength(200);
    for (const couponId of coupons) {
      await expect.poll(() => issuedCount(couponId), { timeout: 30_000 }).toBe(300);
    }
    const { exitCode, stdout } = await stack.firstcome('verify');
    expect(stdout).not.toContain('FAIL');
    expect(exitCode).toBe(0);
  });

  it('put bytes that are no request aside and go on behind them', async () => {
    const couponId = await stack.createCoupon(10);
    const log = await StackLog.connect(stack);
    await log.append(0, 'this is no JSON');
    await log.append(1, { v: 1, type: 'something.else' });
    await log.close();
    const { body } = await stack.assign(couponId, 'behind');
    // The partitions of the issuer that was killed are given to the other after 12 s.
    await expect
      .poll(async () => (await stack.request(body.status_url)).body.status, { timeout: 30_000 })
      .toBe('ISSUED');
  });
});

describe('the relay', () => {
  it('finishes a reservation whose api died before it was published', async () => {
    const couponId = await stack.createCoupon(10);
    const stores = await StackStores.connect(stack);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const reserved = await stores.gate.reserve(couponId, ['orphan'], [traceparent]);
    await stores.close();

    const outcome = reserved.gate === 'open' ? reserved.outcomes[0] : undefined;
    expect(outcome?.kind).toBe('reserved');
    const id = (outcome as { issuanceId: string }).issuanceId;
    const status = async () => (await stack.request(`/api/v1/issuances/${id}`)).body.status;
    expect(['ACCEPTED', 'ISSUED']).toContain(await status());
    // Its partition may still be that of the issuer that was killed, whose session lasts 12 s.
    await expect.poll(status, { timeout: 40_000 }).toBe('ISSUED');
    expect(await recordOf(id)).toMatchObject({ user_id: 'orphan', traceparent });
  });

  /** The first of the log that has this id. */
  async function recordOf(issuanceId: string): Promise<object | undefined> {
    const brokers = stack.env['KAFKA_BROKERS']!.split(',');
    const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
    let found: object | undefined;
    await readTopic(kafka, `${stack.name}.coupon.issuance.requested`, ({ value }) => {
      const text = String(value);
      found ??= text.includes(issuanceId) ? (JSON.parse(text) as object) : undefined;
    });
    return found;
  }
});

describe('what the internal ports show', () => {
  const metricsOf = async (kind: 'api' | 'issuer' | 'keeper') =>
    (await fetch(`${stack.app(kind).internalUrl}/metrics`)).text();

  it('requests by route, status and outcome', async () => {
    await stack.assign(await stack.createCoupon(1), 'metered');
    expect(await metricsOf('api')).toMatch(
      /http_server_request_duration_seconds_count\{[^}]*route="\/api\/v1\/coupons\/assign"[^}]*status="200"[^}]*\} \d+/,
    );
    expect(await metricsOf('api')).toMatch(/firstcome_assigns_total\{outcome="accepted"\} \d+/);
  });

  it('what was decided, what is left, and the lag of every partition', async () => {
    expect(await metricsOf('issuer')).toMatch(
      /firstcome_issuances_decided_total\{status="ISSUED"\} \d+/,
    );
    const couponId = await stack.createCoupon(7);
    await expect
      .poll(() => metricsOf('keeper'))
      .toContain(`firstcome_coupon_left{coupon_id="${couponId}"} 7`);
    const keeper = await metricsOf('keeper');
    for (const partition of ['0', '1']) {
      expect(keeper).toMatch(
        new RegExp(`kafka_consumergroup_lag\\{[^}]*partition="${partition}"[^}]*\\} \\d+`),
      );
    }
    expect(keeper).toMatch(/kafka_consumergroup_lag_sum\{[^}]*\} \d+/);
  });
});
