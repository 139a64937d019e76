import {
  afterAll,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest';
import { aDeadLetter, anIssuanceId } from '../../../test/harness/fixtures.ts';
import { TestLedger } from '../../../test/harness/stores/test-ledger.ts';
import type { DeadLetter } from '#coupon/dead-letter.ts';
import { DeadLetterLedger } from './dead-letter-ledger.ts';

const here = new TestLedger();
const letters = new DeadLetterLedger(here.connection);
const everything = { isOpen: false, afterId: 0, rowsMax: 100 };
const open = { ...everything, isOpen: true };

beforeAll(() => here.start());
beforeEach(() => here.query('DELETE FROM dead_letter'));
afterAll(() => here.close());

async function keep(...given: Partial<DeadLetter>[]): Promise<number[]> {
  for (const letter of given) {
    await letters.store(aDeadLetter(letter));
  }
  return (await letters.list(everything)).map(({ id }) => id);
}

describe('a dead letter', () => {
  test('is kept as it was found, byte for byte', async () => {
    const letter = aDeadLetter({
      offset: '9223372036854775807',
      key: Buffer.from([0x00, 0xff]),
      value: Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
      headers: [
        { name: 'source', text: 'Zoë 🎟\u0000\n"' },
        { name: 'source', hex: 'ff00' },
      ],
      traceId: '0af7651916cd43dd8448eb211c80319c',
      reason: 'größer als 🎟',
    });
    expect(await letters.store(letter)).toBe(true);
    const [entry] = await letters.list(everything);
    const kept = await letters.find(entry!.id);
    expect(kept).toMatchObject({ ...letter, state: 'OPEN', settledAt: null, issuanceId: null });
    expect(kept).toMatchObject(entry!);
    expect(kept!.foundAt).toBeCloseTo(Date.now(), -5);
  });

  test('without key, value, headers and trace is kept too', async () => {
    const letter = aDeadLetter({ key: null, value: null, headers: [], traceId: null });
    const [id] = await keep(letter);
    expect(await letters.find(id!)).toMatchObject(letter);
  });

  test('found again at the same place is kept once, also by several at the same time', async () => {
    const stored = await Promise.all([1, 2, 3].map(() => letters.store(aDeadLetter())));
    expect(stored.filter(Boolean)).toHaveLength(1);
    expect(await letters.store(aDeadLetter({ reason: 'of later' }))).toBe(false);
    expect(await letters.list(everything)).toEqual([
      expect.objectContaining({ reason: aDeadLetter().reason }),
    ]);
  });

  test('is another one at another offset, partition, or topic, which differ by case', async () => {
    const ids = await keep({}, { offset: '8' }, { partition: 2 }, { topic: 'T' }, { topic: 't' });
    expect(ids).toHaveLength(5);
  });

  test('of the largest record that Kafka takes by default is kept whole', async () => {
    const value = Buffer.alloc(1_048_588, "'");
    const [id] = await keep({ value });
    expect((await letters.find(id!))!.value!.equals(value)).toBe(true);
  });

  test('beyond all bounds is kept in part, and says so, rather than not at all', async () => {
    const text = "'\\".repeat(50_000);
    const headers = Array.from({ length: 20 }, (_, i) => ({ name: String(i), text }));
    const [id] = await keep({
      key: Buffer.alloc(2_000_000, 1),
      value: Buffer.alloc(9_000_000, 2),
      headers,
      reason: '🎟'.repeat(10_000),
    });
    const kept = (await letters.find(id!))!;
    expect(kept.key).toHaveLength(1_048_576);
    expect(kept.value).toHaveLength(4_194_304);
    expect(kept.headers).toEqual(headers.slice(0, 6));
    expect(kept.reason).toMatch(
      /only 1048576 of the 2000000 bytes of its key are kept; only 4194304 of the 9000000 bytes of its value are kept; only 6 of its 20 headers are kept$/,
    );
  });

  test('is not kept while MySQL refuses it for any other reason', async () => {
    await expect(letters.store(aDeadLetter({ topic: 't'.repeat(250) }))).rejects.toThrow();
  });
});

describe('a list', () => {
  test('goes page by page, oldest first', async () => {
    const ids = await keep({ offset: '3' }, { offset: '1' }, { offset: '2' });
    const first = await letters.list({ ...everything, rowsMax: 2 });
    expect(first.map(({ offset }) => offset)).toEqual(['3', '1']);
    const rest = await letters.list({ ...everything, afterId: first[1]!.id });
    expect(rest.map(({ id }) => id)).toEqual(ids.slice(2));
  });

  test('of the open ones leaves out what is settled', async () => {
    const [first, second] = await keep({ offset: '1' }, { offset: '2' });
    await letters.settle(first!, { state: 'DISCARDED', reason: 'test data' });
    expect((await letters.list(open)).map(({ id }) => id)).toEqual([second]);
    expect(await letters.countOpen()).toEqual({ count: 1, lastId: second });
  });
});

describe('settling', () => {
  test('is done once, and the first one stays', async () => {
    const [id] = await keep({});
    const issuanceId = anIssuanceId();
    expect(await letters.settle(id!, { state: 'REDRIVEN', issuanceId })).toBe(true);
    expect(await letters.settle(id!, { state: 'DISCARDED', reason: 'late' })).toBe(false);
    const kept = (await letters.find(id!))!;
    expect(kept).toMatchObject({ state: 'REDRIVEN', issuanceId, settledReason: null });
    expect(kept.settledAt).toBeCloseTo(Date.now(), -5);
  });

  test('is timed by the clock of MySQL, as the finding is, whatever that of the process says', async () => {
    const now = Date.now();
    vi.useFakeTimers({ toFake: ['Date'], now: 0 });
    onTestFinished(() => void vi.useRealTimers());
    const [id] = await keep({});
    await letters.settle(id!, { state: 'DISCARDED', reason: 'none' });
    const kept = (await letters.find(id!))!;
    expect(kept.foundAt).toBeCloseTo(now, -5);
    expect(kept.settledAt).toBeCloseTo(now, -5);
  });

  test('of one that is not there settles nothing', async () => {
    expect(await letters.settle(1, { state: 'DISCARDED', reason: 'none' })).toBe(false);
    expect(await letters.find(1)).toBeUndefined();
    expect(await letters.countOpen()).toEqual({ count: 0, lastId: 0 });
  });

  test('of all keeps the reason, and leaves what was settled and what came later', async () => {
    const [redriven, second] = await keep({ offset: '1' }, { offset: '2' }, { offset: '3' });
    await letters.settle(redriven!, { state: 'REDRIVEN', issuanceId: anIssuanceId() });
    expect(await letters.discardOpen(second!, 'Ülker 🎟')).toBe(1);
    expect((await letters.list(everything)).map((one) => [one.state, one.settledReason])).toEqual([
      ['REDRIVEN', null],
      ['DISCARDED', 'Ülker 🎟'],
      ['OPEN', null],
    ]);
  });
});
