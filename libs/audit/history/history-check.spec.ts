import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anIssuanceId } from '../../../test/harness/fixtures.ts';
import { checkHistory } from './history-check.ts';

const ids = [anIssuanceId(), anIssuanceId(), anIssuanceId()] as const;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'firstcome-history-'));
});
afterAll(() => rm(directory, { recursive: true }));

type Line = Record<string, unknown>;

function asked(user_id: string, called_ms: number, returned_ms: number, answer: Line): Line {
  return { user_id, called_ms, returned_ms, coupon_id: 1, ...answer };
}

function accepted(issuance_id: string): Line {
  return { http_status: 200, issuance_id };
}

function changed(change: Line, called_ms: number, returned_ms?: number): Line {
  return { coupon_id: 1, change, called_ms, returned_ms };
}

const soldOut = { http_status: 409, code: 'SOLD_OUT' };
const paused = { http_status: 409, code: 'PAUSED' };
const noAnswer = { http_status: 0, code: 'NO_ANSWER' };
const created = (total: number): Line => changed({ total, state: 'open' }, 0, 0);

function violations(...lines: Line[]): Promise<string[]> {
  return violationsOf(lines);
}

async function violationsOf(lines: Line[]): Promise<string[]> {
  const file = join(directory, 'answers.ndjson');
  await writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const { invariant, violations: found } = await checkHistory(file);
  expect(invariant).toBe('I7');
  return found;
}

describe('SOLD_OUT', () => {
  test('is right when every unit was taken at some moment of the call, whoever was answered first', async () => {
    const lines = [created(1), asked('bob', 1, 9, soldOut), asked('ann', 5, 20, accepted(ids[0]))];
    expect(await violations(...lines)).toEqual([]);
  });

  test('is wrong when somebody new is accepted after it, and nothing came back', async () => {
    const lines = [created(1), asked('bob', 1, 4, soldOut), asked('ann', 5, 20, accepted(ids[0]))];
    expect(await violations(...lines)).toEqual([
      'line 2: of coupon 1, user "bob" was told SOLD_OUT, and at most 0 of 1 units can have been held; user "ann" got one after that',
    ]);
  });

  test('is wrong when units were free throughout the call', async () => {
    const lines = [created(2), asked('ann', 1, 2, accepted(ids[0])), asked('bob', 3, 4, soldOut)];
    expect(await violations(...lines)).toEqual([
      'line 3: of coupon 1, user "bob" was told SOLD_OUT, and at most 1 of 2 units can have been held',
    ]);
  });

  test('may be followed by somebody new when the total was raised, and while it is', async () => {
    const before = [created(1), asked('ann', 1, 2, accepted(ids[0])), asked('bob', 3, 4, soldOut)];
    const after = asked('carl', 6, 7, accepted(ids[1]));
    expect(await violations(...before, changed({ total: 2 }, 5, 8), after)).toEqual([]);
    expect(await violations(...before, changed({ total: 2 }, 5), after)).toEqual([]);
    expect(await violations(...before, changed({ total: 2 }, 8, 9), after)).toEqual([
      'line 5: of coupon 1, user "carl" was told yes, and no unit was left',
    ]);
  });

  test('may be followed by somebody new when a request without an answer held the unit meanwhile', async () => {
    const lines = [
      created(1),
      asked('ann', 1, 2, noAnswer),
      asked('bob', 3, 4, soldOut),
      asked('carl', 5, 6, accepted(ids[0])),
    ];
    expect(await violations(...lines)).toEqual([]);
  });

  test('is not excused by a request that was certainly not sent', async () => {
    for (const answer of [
      { http_status: 0, code: 'NOT_SENT' },
      { http_status: 503, code: 'OVERLOADED' },
    ]) {
      const lines = [created(1), asked('ann', 1, 2, answer), asked('bob', 3, 4, soldOut)];
      expect(await violations(...lines)).toHaveLength(1);
    }
  });

  test('is wrong for a holder, who gets his id again', async () => {
    const lines = [created(1), asked('ann', 1, 2, accepted(ids[0])), asked('ann', 3, 4, soldOut)];
    expect(await violations(...lines)).toEqual([
      'line 3: of coupon 1, user "ann" was told SOLD_OUT, and had an id (line 2)',
    ]);
  });
});

describe('a unit that was taken away again', () => {
  test('was not held before: SOLD_OUT then is wrong, although somebody is accepted later', async () => {
    const lines = [
      created(2),
      asked('ann', 1, 2, accepted(ids[0])),
      asked('bob', 3, 40, accepted(ids[1])),
      changed({ total: 1 }, 10, 11),
      changed({ total: 2 }, 20, 21),
    ];
    expect(await violations(...lines)).toEqual([]);
    expect(await violations(...lines, asked('carl', 6, 8, soldOut))).toEqual([
      'line 6: of coupon 1, user "carl" was told SOLD_OUT, and at most 1 of 2 units can have been held',
    ]);
    expect(await violations(...lines, asked('carl', 22, 24, soldOut))).toEqual([]);
  });
});

describe('yes', () => {
  test('is told to no more users than there are units, counted when a lowering has returned', async () => {
    const two = [asked('ann', 1, 2, accepted(ids[0])), asked('bob', 11, 12, accepted(ids[1]))];
    expect(await violations(created(2), ...two)).toEqual([]);
    expect(await violations(created(2), ...two, changed({ total: 1 }, 5, 6))).toEqual([
      'line 3: of coupon 1, user "bob" was told yes, and no unit was left',
    ]);
  });

  test('comes with one id for ever, and with nobody else’s', async () => {
    const lines = [
      asked('ann', 1, 2, accepted(ids[0])),
      asked('ann', 3, 4, accepted(ids[1])),
      asked('bob', 5, 6, accepted(ids[0].toUpperCase())),
      { ...asked('bob', 7, 8, { ...accepted(ids[2]), http_status: 503 }), coupon_id: 2 },
      asked('bob', 9, 10, accepted(ids[2])),
    ];
    const found = await violations(...lines);
    expect(found).toHaveLength(3);
    expect(found[0]).toContain('lines 1 and 2: user "ann" was told');
    expect(found[1]).toContain('lines 1 and 3: user "ann" was told');
    expect(found[2]).toContain('lines 4 and 5: user "bob" was told');
  });

  test('may come with another id than one that was never confirmed', async () => {
    const unconfirmed = { http_status: 503, code: 'UNCONFIRMED', issuance_id: ids[0] };
    const lines = [asked('ann', 1, 2, unconfirmed), asked('ann', 3, 4, accepted(ids[1]))];
    expect(await violations(...lines)).toEqual([]);
  });
});

describe('a pause', () => {
  const pausedThen = changed({ state: 'paused' }, 10, 12);
  const resumed = changed({ state: 'open' }, 20, 22);

  test('admits nobody new once it has returned, and holders all the same', async () => {
    const lines = [created(5), asked('ann', 1, 2, accepted(ids[0])), pausedThen, resumed];
    const late = asked('bob', 13, 19, accepted(ids[1]));
    expect(await violations(...lines, asked('ann', 13, 14, accepted(ids[0])))).toEqual([]);
    expect(await violations(...lines, late)).toEqual([
      'line 5: of coupon 1, user "bob" was told yes, and the coupon was paused or closed',
    ]);
    expect(await violations(...lines, { ...late, called_ms: 11 })).toEqual([]);
    expect(await violations(...lines, { ...late, returned_ms: 21 })).toEqual([]);
  });

  test('is told to nobody before it begins', async () => {
    expect(await violations(created(5), pausedThen, asked('bob', 5, 9, paused))).toEqual([
      'line 3: of coupon 1, user "bob" was told PAUSED, and it never was in that time',
    ]);
    expect(await violations(created(5), pausedThen, asked('bob', 5, 11, paused))).toEqual([]);
  });
});

describe('a journal that says less', () => {
  test('without times: what excludes each other in any order is found, and nothing else', async () => {
    const plain = (user_id: string, answer: Line): Line => ({ coupon_id: 1, user_id, ...answer });
    const lines = [plain('ann', accepted(ids[0])), plain('bob', soldOut), plain('ann', soldOut)];
    expect(await violations(...lines)).toEqual([]);
    expect(await violations(...lines, plain('ann', accepted(ids[1])))).toHaveLength(1);
  });

  test('without the creation of the coupon: nobody knows how many units there were', async () => {
    const lines = [asked('ann', 1, 2, accepted(ids[0])), asked('bob', 3, 4, soldOut)];
    expect(await violations(...lines)).toEqual([]);
  });

  test('each coupon is judged by itself', async () => {
    const ofOther = { ...asked('carl', 1, 2, accepted(ids[1])), coupon_id: 2 };
    const lines = [created(1), ofOther, asked('bob', 3, 4, soldOut)];
    expect(await violations(...lines)).toHaveLength(1);
  });
});

test('40 000 answers are judged in seconds: in n log n, not in the orders there are', async () => {
  const users = 20_000;
  const lines: Line[] = [created(users)];
  for (let i = 0; i < users; i += 1) {
    lines.push(asked(`user-${i}`, i, i + 50, accepted(anIssuanceId())));
    lines.push(asked(`late-${i}`, users + i, users + i + 50, soldOut));
  }
  expect(await violationsOf(lines)).toEqual([]);
  lines.push(asked('one more', users, 3 * users, accepted(ids[0])));
  expect(await violationsOf(lines)).toEqual([
    `line ${lines.length}: of coupon 1, user "one more" was told yes, and no unit was left`,
  ]);
}, 60_000);
