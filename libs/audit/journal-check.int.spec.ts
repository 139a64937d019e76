import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  aDeadLetter,
  aRequest,
  aRequestRecord,
  anIssuanceId,
  userIds,
} from '../../test/harness/fixtures.ts';
import { TestLedger } from '../../test/harness/stores/test-ledger.ts';
import type { IssuanceRequest } from '#coupon/issuance-request.ts';
import { AuditQueries } from '#ledger/audit-queries.ts';
import { DeadLetterLedger } from '#ledger/dead-letters/dead-letter-ledger.ts';
import { inSlices } from '#platform/work/slices.ts';
import { checkJournal } from './journal-check.ts';

const here = new TestLedger();
const queries = new AuditQueries(here.connection);
let directory: string;
let issued: IssuanceRequest;
let refused: IssuanceRequest;

beforeAll(async () => {
  await here.start();
  directory = await mkdtemp(join(tmpdir(), 'firstcome-journal-'));
  const { id } = await here.createCoupon({ total: 1 });
  issued = aRequest({ couponId: id, userId: 'ann' });
  refused = aRequest({ couponId: id, userId: 'bob' });
  await here.issuances.decideChunk([issued, refused]);
});
afterAll(async () => {
  await here.close();
  await rm(directory, { recursive: true });
});

function answerTo(request: IssuanceRequest, given: Record<string, unknown> = {}): string {
  const { issuanceId: issuance_id, couponId: coupon_id, userId: user_id } = request;
  return JSON.stringify({ http_status: 200, issuance_id, coupon_id, user_id, ...given });
}

async function check(...lines: string[]): Promise<{ violations: string[]; checked: number }> {
  const file = join(directory, 'answers.ndjson');
  await writeFile(file, lines.map((line) => `${line}\n`).join(''));
  const { invariant, ...finding } = await checkJournal(file, queries);
  expect(invariant).toBe('I3');
  return finding;
}

test('answers that are issued as they were told hold I3, however often they were given', async () => {
  const upperCase = issued.issuanceId.toUpperCase();
  const lines = [
    answerTo(issued),
    answerTo(issued, { http_status: 202 }),
    answerTo(issued, { issuance_id: upperCase, latency_ms: 3 }),
    '',
  ];
  expect(await check(...lines)).toEqual({ violations: [], checked: 3 });
});

test('an empty journal violates nothing', async () => {
  expect(await check()).toEqual({ violations: [], checked: 0 });
});

test('an acknowledged id that is nowhere is lost', async () => {
  const id = anIssuanceId();
  expect((await check(answerTo(issued), answerTo(issued, { issuance_id: id }))).violations).toEqual(
    [`line 2: ${id} was acknowledged and is not issued`],
  );
});

test('an acknowledged id that was refused is lost just as well', async () => {
  expect((await check(answerTo(refused, { http_status: 202 }))).violations).toEqual([
    `line 1: ${refused.issuanceId} was acknowledged and is not issued`,
  ]);
});

test.each([
  ['another user', { user_id: 'bob' }],
  ['another user by case', { user_id: 'Ann' }],
  ['another coupon', { coupon_id: 999 }],
])('an id that was told to %s than it was issued to is a violation', async (_name, wrong) => {
  const { violations } = await check(answerTo(issued, wrong));
  expect(violations).toHaveLength(1);
  expect(violations[0]).toContain(`line 1: ${issued.issuanceId} was told to user`);
  expect(violations[0]).toContain(`issued to "ann" of ${issued.couponId}`);
});

test('a dead letter under the id of an acknowledged answer takes nothing from it, and is no excuse', async () => {
  const foreign = { ...issued, userId: 'eve' };
  expect((await here.issuances.decideChunk([foreign])).conflicting).toEqual([foreign]);
  await new DeadLetterLedger(here.connection).store(
    aDeadLetter({ value: Buffer.from(JSON.stringify(aRequestRecord(foreign))) }),
  );
  expect(await check(answerTo(issued))).toEqual({ violations: [], checked: 1 });
  expect((await check(answerTo(foreign))).violations).toHaveLength(1);
});

test.each([400, 404, 409, 422, 429, 500, 503])('an answer %d promises nothing', async (status) => {
  const unconfirmed = answerTo(issued, { http_status: status, issuance_id: anIssuanceId() });
  const withoutId = JSON.stringify({ http_status: status });
  expect(await check(unconfirmed, withoutId)).toEqual({ violations: [], checked: 0 });
});

test('a line that is not an answer is a violation, since it might have been one', async () => {
  const lines = ['{"http_status":200', '[]', '{"http_status":200,"issuance_id":"42"}', 'null'];
  const { violations, checked } = await check(...lines, answerTo(issued));
  expect(violations).toEqual(lines.map((line, i) => `line ${i + 1} is not an answer: ${line}`));
  expect(checked).toBe(1);
});

test('what managers changed stands in a journal as well, and promises nothing', async () => {
  const change = { coupon_id: 1, change: { total: 5 }, called_ms: 1, returned_ms: 2 };
  expect(await check(JSON.stringify(change))).toEqual({ violations: [], checked: 0 });
});

test('an acknowledgement that does not say of what is a violation', async () => {
  const { violations } = await check(JSON.stringify({ http_status: 200, coupon_id: 1 }));
  expect(violations).toEqual(['line 1: acknowledged without issuance_id, coupon_id or user_id']);
});

test('one lost among thousands is found', async () => {
  const { id } = await here.createCoupon({ total: 3_000 });
  const requests = userIds(2_500).map((userId) => aRequest({ couponId: id, userId }));
  for (const chunk of inSlices(requests, 500)) {
    await here.issuances.decideChunk(chunk);
  }
  const lines = requests.map((request) => answerTo(request));
  expect(await check(...lines)).toEqual({ violations: [], checked: 2_500 });
  const lost = anIssuanceId();
  lines[1_999] = answerTo(requests[1_999]!, { issuance_id: lost });
  expect((await check(...lines)).violations).toEqual([
    `line 2000: ${lost} was acknowledged and is not issued`,
  ]);
});

test('a journal that is not there is an error, not a pass', async () => {
  const missing = join(directory, 'missing.ndjson');
  await expect(checkJournal(missing, queries)).rejects.toThrow('ENOENT');
});
