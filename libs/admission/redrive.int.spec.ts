import { expect, test } from 'vitest';
import { aDeadLetter } from '../../test/harness/fixtures.ts';
import { openTestStores } from '../../test/harness/stores/test-stores.ts';
import type { KeptDeadLetter } from '#ledger/dead-letters/dead-letter-ledger.ts';
import { DeadLetterLedger } from '#ledger/dead-letters/dead-letter-ledger.ts';
import { AssignCoupon, AssignLimits } from './assign-coupon.ts';
import { Redrive } from './redrive.ts';

const { ledger, here, log } = openTestStores();
const letters = new DeadLetterLedger(ledger.connection);
const redrive = new Redrive(
  letters,
  new AssignCoupon(here.gate, log.log, new AssignLimits(100, 10_000)),
);

let offset = 0;

async function keep(value: unknown): Promise<number> {
  offset += 1;
  const bytes = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  await letters.store(aDeadLetter({ offset: String(offset), value: bytes }));
  const [row] = await ledger.query<{ id: number }>('SELECT MAX(id) AS id FROM dead_letter');
  return row!.id;
}

async function stateOf(id: number): Promise<KeptDeadLetter['state']> {
  return (await letters.find(id))!.state;
}

test('admits whom the letter names, once: a preview changes nothing, a second run finds it settled', async () => {
  const { id: couponId } = await here.openCoupon();
  const id = await keep({ coupon_id: couponId, user_id: 'ann', epoch: 'wrong' });
  const wanted = { couponId, userId: 'ann' };
  expect(await redrive.preview(id)).toEqual({ kind: 'redrivable', wanted });
  expect(await here.gate.inspect(couponId)).toMatchObject({ holders: 0 });

  const done = await redrive.run(id);
  expect(done).toMatchObject({ kind: 'redriven', replayed: false, wanted });
  expect(await here.gate.inspect(couponId)).toMatchObject({ holders: 1, pending: 0 });
  expect(await stateOf(id)).toBe('REDRIVEN');
  expect(await redrive.run(id)).toMatchObject({ kind: 'settled' });
  expect(await redrive.preview(id)).toMatchObject({ kind: 'settled' });
});

test('whoever holds one already is given that one', async () => {
  const { id: couponId } = await here.openCoupon();
  const issuanceId = await here.take(couponId, 'ann');
  const id = await keep({ coupon_id: couponId, user_id: 'ann' });
  expect(await redrive.run(id)).toMatchObject({ kind: 'redriven', issuanceId, replayed: true });
});

test('what the gate does not admit stays open, and says why', async () => {
  const { id: couponId } = await here.openCoupon({ total: 0 });
  const wanted = { couponId, userId: 'ann' };
  const id = await keep({ coupon_id: couponId, user_id: 'ann' });
  expect(await redrive.run(id)).toEqual({ kind: 'not_admitted', why: 'sold_out', wanted });
  await here.gate.fence(couponId, 2);
  expect(await redrive.run(id)).toEqual({
    kind: 'not_admitted',
    why: 'recovering',
    failure: { cause: 'gate_shut' },
    wanted,
  });
  expect(await stateOf(id)).toBe('OPEN');
});

test('a letter that names nobody stays open; one that is not there is missing', async () => {
  const id = await keep('no JSON');
  expect(await redrive.run(id)).toMatchObject({ kind: 'unreadable' });
  expect(await stateOf(id)).toBe('OPEN');
  expect(await redrive.run(id + 1)).toEqual({ kind: 'missing' });
});
