import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { anIssuanceId } from '../../test/harness/fixtures.ts';
import { TestGate } from '../../test/harness/test-gate.ts';
import { statusHintsKey } from './keys.ts';
import type { StatusHint } from './status-hints.ts';
import { StatusHints } from './status-hints.ts';

const here = new TestGate();
const hints = new StatusHints(here.connection, here.prefix, 600);

beforeAll(() => here.start());
afterAll(() => here.close());

const issued: StatusHint = { couponId: 1, userId: 'Zoë 🎟', status: 'ISSUED', decidedAt: 5 };
const refused: StatusHint = { ...issued, status: 'REFUSED', reason: 'SOLD_OUT' };

test('tells what was decided about each issuance', async () => {
  const [one, other] = [anIssuanceId(), anIssuanceId()];
  await hints.write(
    new Map([
      [one, issued],
      [other, refused],
    ]),
  );
  expect(await hints.read(one)).toEqual(issued);
  expect(await hints.read(other)).toEqual(refused);
});

test('knows nothing of an issuance that nobody wrote a hint for', async () => {
  expect(await hints.read(anIssuanceId())).toBeUndefined();
});

test('takes no hints for none', async () => {
  await expect(hints.write(new Map())).resolves.toBeUndefined();
});

test('keeps hints apart from those of another prefix', async () => {
  const id = anIssuanceId();
  await hints.write(new Map([[id, issued]]));
  const others = new StatusHints(here.connection, `${here.prefix}other:`, 600);
  expect(await others.read(id)).toBeUndefined();
});

test('forgets a hint after its time, which a later one renews', async () => {
  const id = anIssuanceId();
  await new StatusHints(here.connection, here.prefix, 1).write(new Map([[id, issued]]));
  await hints.write(new Map([[id, issued]]));
  expect(await here.raw.ttl(statusHintsKey(here.prefix, id))).toBeGreaterThan(500);

  await new StatusHints(here.connection, here.prefix, 1).write(new Map([[id, issued]]));
  await vi.waitFor(async () => expect(await hints.read(id)).toBeUndefined(), { timeout: 5_000 });
});

test('keeps the watermark to the millisecond, and knows none before it is worked out', async () => {
  expect(await hints.readWatermark()).toBeUndefined();
  await hints.writeWatermark(1_764_000_000_123);
  expect(await hints.readWatermark()).toBe(1_764_000_000_123);
});
