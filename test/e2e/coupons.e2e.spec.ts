import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stack } from '../../infra/harness/stack.ts';
import { startStack } from '../harness/stack/test-stack.ts';

let stack: Stack;
const folder = mkdtempSync(join(tmpdir(), 'firstcome-'));

beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await stack.stop();
});

async function coupon(...args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await stack.firstcome('coupon', ...args, '--json');
  return JSON.parse(stdout) as Record<string, unknown>;
}

async function codeFor(couponId: number, userId: string): Promise<string> {
  const { body } = await stack.assign(couponId, userId);
  return body.code ?? body.status;
}

describe('a manager', () => {
  it('creates a coupon that can be assigned at once', async () => {
    const couponId = await stack.createCoupon(3);
    expect(await codeFor(couponId, 'u')).toBe('ACCEPTED');
  });

  it('pauses, resumes and closes, and a holder keeps its answer throughout', async () => {
    const couponId = await stack.createCoupon(3);
    const held = (await stack.assign(couponId, 'holder')).body.issuance_id;
    const id = String(couponId);

    expect(await coupon('pause', id)).toMatchObject({ state: 'PAUSED', version: 2 });
    expect(await codeFor(couponId, 'newcomer')).toBe('PAUSED');
    expect((await stack.assign(couponId, 'holder')).body.issuance_id).toBe(held);

    expect(await coupon('resume', id)).toMatchObject({ state: 'OPEN' });
    expect(await codeFor(couponId, 'newcomer')).toBe('ACCEPTED');

    const unasked = await stack.firstcome('coupon', 'close', id);
    expect([unasked.exitCode, unasked.stderr]).toEqual([64, expect.stringContaining('--yes')]);
    expect(await coupon('show', id)).toMatchObject({ state: 'OPEN' });
    expect(await coupon('close', id, '--yes')).toMatchObject({ state: 'CLOSED' });
    expect(await codeFor(couponId, 'latecomer')).toBe('CLOSED');
    expect((await stack.assign(couponId, 'holder')).body.issuance_id).toBe(held);
    const resume = await stack.firstcome('coupon', 'resume', id);
    expect([resume.exitCode, resume.stderr]).toEqual([1, expect.stringContaining('final')]);
  });

  it('raises and lowers the total, never below what is taken', async () => {
    const couponId = await stack.createCoupon(1);
    await stack.assign(couponId, 'a');
    expect(await codeFor(couponId, 'b')).toBe('SOLD_OUT');

    expect(await coupon('set-total', String(couponId), '2')).toMatchObject({ total: 2, left: 1 });
    expect(await codeFor(couponId, 'b')).toBe('ACCEPTED');

    const tooLow = await stack.firstcome('coupon', 'set-total', String(couponId), '1');
    expect([tooLow.exitCode, tooLow.stderr]).toEqual([1, expect.stringContaining('2 of coupon')]);
    expect(await coupon('show', String(couponId))).toMatchObject({ total: 2, left: 0 });
  });

  it('opens and closes by the clock', async () => {
    const future = new Date(Date.now() + 3_600_000).toISOString();
    const notOpen = await stack.createCoupon(1, '--opens-at', future);
    const answer = await stack.assign(notOpen, 'u');
    expect([answer.status, answer.body.code]).toEqual([409, 'NOT_OPEN']);
    expect(answer.body.opens_at).toBe(future);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(3_500);

    const soon = new Date(Date.now() + 2_000).toISOString();
    const opening = await stack.createCoupon(1, '--opens-at', soon);
    await expect.poll(() => codeFor(opening, 'u')).toBe('ACCEPTED');

    const past = new Date(Date.now() - 1_000).toISOString();
    const unasked = await stack.firstcome('coupon', 'create', '--total=1', '--closes-at', past);
    expect([unasked.exitCode, unasked.stderr]).toEqual([64, expect.stringContaining('--yes')]);
    const closed = await stack.createCoupon(1, '--closes-at', past, '--yes');
    expect(await codeFor(closed, 'u')).toBe('CLOSED');
  });

  it('lists every coupon, as a table and as JSON', async () => {
    const couponId = await stack.createCoupon(3, '--name', 'listed');
    const { stdout } = await stack.firstcome('coupon', 'list');
    expect(stdout).toMatch(/^coupon_id +name +state +total +left/m);
    expect(stdout).toMatch(new RegExp(`^${couponId} +listed +OPEN +3 +3`, 'm'));
    const { stdout: json } = await stack.firstcome('coupon', 'list', '--json');
    expect(JSON.parse(json)).toContainEqual(expect.objectContaining({ name: 'listed' }));
  });

  it('is told what is wrong, in a line', async () => {
    for (const [args, message, code] of [
      [['create', '--total', '0'], 'whole number from 1', 64],
      [['create'], '--total', 64],
      [['create', '--total', '5', '--opens-at', 'tomorrow'], 'It must be a time', 64],
      [['show', '1999999999'], 'there is no coupon 1999999999', 1],
    ] as const) {
      const { exitCode, stderr } = await stack.firstcome('coupon', ...args);
      expect(exitCode).toBe(code);
      expect(stderr).toContain(message);
    }
    const couponId = await stack.createCoupon(1);
    const again = await stack.firstcome(
      'coupon',
      'create',
      '--id',
      String(couponId),
      '--total',
      '1',
    );
    expect([again.exitCode, again.stderr]).toEqual([1, expect.stringContaining('exists already')]);
    const ifAbsent = ['create', '--id', String(couponId), '--if-absent', '--total'];
    expect(await coupon(...ifAbsent, '1')).toMatchObject({ total: 1 });
    const other = await stack.firstcome('coupon', ...ifAbsent, '9');
    expect([other.exitCode, other.stderr]).toEqual([1, expect.stringContaining('its total is 1')]);
  });

  it('finds --help everywhere', async () => {
    for (const args of [[], ['coupon'], ['coupon', 'create'], ['verify'], ['migrate']]) {
      const { exitCode, stdout } = await stack.firstcome(...args, '--help');
      expect(exitCode).toBe(0);
      expect(stdout).toContain('Usage: firstcome');
    }
  });
});

describe('verify', () => {
  it('passes on true answers and fails on one that was never issued', async () => {
    const couponId = await stack.createCoupon(5);
    const { body } = await stack.assign(couponId, 'honest');
    const journal = join(folder, 'answers.ndjson');
    writeFileSync(journal, `${JSON.stringify({ http_status: 200, ...body })}\n`);
    const good = await stack.firstcome('verify', '--journal', journal);
    expect(good.stdout.trim().split('\n')).toHaveLength(8);
    expect(good.stdout).toMatch(/^ok {4}I3 .*\(1 checked\)$/m);
    expect(good.exitCode).toBe(0);

    const forged = {
      http_status: 200,
      ...body,
      issuance_id: body.issuance_id.replace(/^../, '00'),
    };
    writeFileSync(journal, `${JSON.stringify(forged)}\n`);
    const bad = await stack.firstcome('verify', '--journal', journal);
    expect(bad.stdout).toMatch(/^FAIL {2}I3/m);
    expect(bad.exitCode).toBe(3);
  });

  it('prints JSON when asked', async () => {
    const { stdout } = await stack.firstcome('verify', '--json');
    const { findings } = JSON.parse(stdout) as { findings: { invariant: string }[] };
    expect(findings.map(({ invariant }) => invariant)).toEqual([
      'I1',
      'I2',
      'I3',
      'I4',
      'I5',
      'I6',
      'I7',
      'I8',
    ]);
  });
});
