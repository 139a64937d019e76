import { afterAll, beforeAll, expect, test } from 'vitest';
import { anIssuanceId } from '../../test/harness/fixtures.ts';
import { TestGate } from '../../test/harness/stores/test-gate.ts';
import { GateKeyspace } from './gate-keyspace.ts';
import { StatusHints } from './status-hints.ts';

const [here, other] = [new TestGate(), new TestGate()];

beforeAll(() => Promise.all([here.start(), other.start()]));
afterAll(() => Promise.all([here.close(), other.close()]));

test('a round finds every gate, a step names none twice, and nothing else is found', async () => {
  const ids = Array.from({ length: 1_200 }, (_, i) => i + 1);
  const pipeline = here.raw.pipeline();
  for (const id of ids) {
    const { meta, holders } = here.keys(id);
    pipeline.hset(meta, 'state', 'open').hset(holders, 'ann', 'id');
  }
  pipeline.hset(`${here.prefix}{coupon:none}:meta`, 'state', 'open');
  await pipeline.exec();
  await other.openCoupon({ id: 999_999 });
  const hint = { couponId: 888_888, userId: 'ann', status: 'ISSUED' as const, decidedAt: 5 };
  await new StatusHints(here.connection, here.prefix, 600).write(new Map([[anIssuanceId(), hint]]));

  const keyspace = new GateKeyspace(here.connection, here.prefix);
  const found = new Set<number>();
  // Others have keys in this Redis, too; a step looks at a thousand.
  for (let steps = 0; steps < 500 && found.size < ids.length; steps += 1) {
    const step = await keyspace.step();
    expect(new Set(step).size).toBe(step.length);
    step.forEach((id) => found.add(id));
  }
  expect([...found].sort((a, b) => a - b)).toEqual(ids);
});
