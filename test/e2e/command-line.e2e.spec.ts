import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { nodeArguments } from '../../infra/local/processes/build.ts';
import type { CommandResult } from '../../infra/local/processes/cli.ts';
import { firstcome } from '../../infra/local/processes/cli.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import { StackStores } from '../harness/stack/stack-stores.ts';
import { startStack } from '../harness/stack/test-stack.ts';

let stack: Stack;
let stores: StackStores;

beforeAll(async () => {
  stack = await startStack();
  stores = await StackStores.connect(stack);
});
afterAll(async () => {
  await stores.close();
  await stack.stop();
});

type CouponView = Record<string, unknown> & { coupon_id: number; name: string };

async function coupon(...args: string[]): Promise<CouponView> {
  const { stdout, stderr } = await stack.firstcome('coupon', ...args, '--json');
  expect(stderr).toBe('');
  return JSON.parse(stdout) as CouponView;
}

function failure({ exitCode, stdout, stderr }: CommandResult): unknown[] {
  expect(stdout).toBe('');
  expect(stderr).not.toMatch(/^ {4}at /m);
  return [exitCode, stderr.trimEnd().split('\n').length];
}

async function codeFor(couponId: number, userId: string): Promise<string> {
  const { body } = await stack.assign(couponId, userId);
  return body.code ?? body.status;
}

function fromNow(seconds: number): string {
  return new Date(Date.now() + seconds * 1_000).toISOString();
}

describe('set-times', () => {
  it('holds when it returns, whichever way the times move', async () => {
    const couponId = await stack.createCoupon(10, '--opens-at', fromNow(3_600));
    const id = String(couponId);
    expect(await codeFor(couponId, 'early')).toBe('NOT_OPEN');

    await coupon('set-times', id, '--opens-at', fromNow(-60));
    expect(await codeFor(couponId, 'a')).toBe('ACCEPTED');
    const later = fromNow(7_200);
    expect(await coupon('set-times', id, '--opens-at', later)).toMatchObject({
      state: 'NOT_OPEN',
      opens_at: later,
      version: 3,
    });
    expect(await codeFor(couponId, 'b')).toBe('NOT_OPEN');
    expect(await codeFor(couponId, 'a')).toBe('ACCEPTED');

    await coupon('set-times', id, '--opens-at', 'none', '--closes-at', later);
    expect(await codeFor(couponId, 'b')).toBe('ACCEPTED');
  });

  it('is brought to the gate by the keeper when whoever made it died half-way', async () => {
    const couponId = await stack.createCoupon(1_000);
    const opensAt = Date.parse(fromNow(3_600));
    const sql = 'UPDATE coupon SET opens_at = ?, version = 2 WHERE id = ?';
    await stores.query(sql, [opensAt, couponId]);
    let newcomers = 0;
    const newcomer = () => codeFor(couponId, `newcomer-${(newcomers += 1)}`);
    await expect.poll(newcomer, { timeout: 10_000 }).toBe('NOT_OPEN');
  });

  it('ends a sale, and begins one again that had ended, only when that is meant', async () => {
    const couponId = await stack.createCoupon(10);
    const past = ['set-times', String(couponId), '--closes-at', fromNow(-5)];
    const unasked = await stack.firstcome('coupon', ...past);
    expect([...failure(unasked), unasked.stderr]).toEqual([
      64,
      1,
      expect.stringContaining('--yes'),
    ]);
    expect(await codeFor(couponId, 'a')).toBe('ACCEPTED');

    expect(await coupon(...past, '--yes')).toMatchObject({ state: 'CLOSED' });
    expect(await codeFor(couponId, 'b')).toBe('CLOSED');
    const again = ['set-times', String(couponId), '--closes-at', 'none'];
    expect((await stack.firstcome('coupon', ...again)).exitCode).toBe(64);
    expect(await coupon(...again, '--yes')).toMatchObject({ state: 'OPEN', closes_at: null });
    expect(await codeFor(couponId, 'b')).toBe('ACCEPTED');
  });

  it('is refused where it makes no sense, and changes nothing', async () => {
    const closesAt = fromNow(3_600);
    const id = String(await stack.createCoupon(10, '--closes-at', closesAt));
    const told = await stack.firstcome('coupon', 'set-times', id, '--opens-at', fromNow(7_200));
    expect([...failure(told), told.stderr]).toEqual([1, 1, expect.stringContaining('close later')]);
    expect(await coupon('show', id)).toMatchObject({ version: 1, closes_at: closesAt });

    await coupon('close', id, '--yes');
    const late = await stack.firstcome('coupon', 'set-times', id, '--closes-at', 'none');
    expect([...failure(late), late.stderr]).toEqual([1, 1, expect.stringContaining('final')]);
  });
});

test('times are shown in the zone that is asked for, with what they mean now', async () => {
  const times = ['--opens-at', '2099-12-24T18:00:00+09:00', '--closes-at', '2100-01-01T00:00:00Z'];
  const id = String(await stack.createCoupon(10, ...times));
  const { stdout } = await stack.firstcome('coupon', 'show', id, '--zone', 'asia/seoul');
  expect(stdout).toMatch(/^Times in Asia\/Seoul \(UTC\+09:00\), now \d{4}-\S+\+09:00$/m);
  expect(stdout).toMatch(
    /2099-12-24T18:00:00\+09:00 +2100-01-01T09:00:00\+09:00 +- +opens in \d+ d/,
  );
  const utc = await firstcome({ ...stack.env, TZ: 'UTC' }, 'coupon', 'list');
  expect(utc.stdout).toMatch(/^Times in UTC \(UTC\+00:00\)/);
  expect(utc.stdout).toContain('2099-12-24T09:00:00+00:00');
});

describe('names', () => {
  it('are what was given, also Korean ones, and change by rename', async () => {
    const created = await coupon('create', '--total', '1', '--name', "겨울 세일 '👨‍👩‍👧'");
    expect(created.name).toBe("겨울 세일 '👨‍👩‍👧'");
    const renamed = await coupon('rename', String(created.coupon_id), '여름 세일'.normalize('NFD'));
    expect(renamed).toMatchObject({ name: '여름 세일', version: 2 });
    const { coupon_id: id } = created;
    await expect
      .poll(async () => (await stack.request(`/api/v1/coupons/${id}`)).body.name)
      .toBe('여름 세일');
  });

  it('that are in MySQL already are shown safely', async () => {
    const id = await stack.createCoupon(1);
    await stores.query("UPDATE coupon SET name = 'a\u001b[2J\n999  fake' WHERE id = ?", [id]);
    const { stdout } = await stack.firstcome('coupon', 'show', String(id));
    expect(stdout).toContain(String.raw`a\u001b[2J\u000a999  fake`);
    expect((await coupon('show', String(id))).name).toBe('a\u001b[2J\n999  fake');
  });
});

describe.concurrent('mistakes', () => {
  it('are told in one line, without a stack', async () => {
    const told = await stack.firstcome('coupon', 'list', '--nonsense');
    expect([...failure(told), told.stderr]).toEqual([64, 1, expect.stringContaining('--nonsense')]);
  });

  it('in the configuration end with 78', async () => {
    const told = await firstcome({ ...stack.env, API_PORT: 'x' }, 'coupon', 'list', '--json');
    expect([told.exitCode, JSON.parse(told.stderr)]).toMatchObject([
      78,
      { error: { kind: 'configuration' } },
    ]);
  });

  it('of which a store is the cause end with 69, and name it', async () => {
    const away = {
      MYSQL_URL: 'mysql://root@127.0.0.1:1/none',
      GATE_REDIS_URL: 'redis://127.0.0.1:1',
      KAFKA_BROKERS: '127.0.0.1:1',
    };
    const create = ['coupon', 'create', '--total', '1'];
    const tries = [
      ...Object.entries(away).map(([name, url]) => [{ [name]: url }, create, name] as const),
      [{ MYSQL_URL: away.MYSQL_URL }, ['migrate'], 'MySQL'] as const,
    ];
    await Promise.all(
      tries.map(async ([env, args, name]) => {
        const told = await firstcome({ ...stack.env, ...env }, ...args);
        expect([...failure(told), told.stderr]).toEqual([69, 1, expect.stringContaining(name)]);
      }),
    );
  }, 90_000);
});

/** Runs a command whose reader of standard output goes away before it says anything. */
async function unread(...args: string[]): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [...nodeArguments('cli'), ...args], {
    env: { ...process.env, ...stack.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr };
}

it.concurrent('does its work to the end when nobody reads what it says', async () => {
  expect(await unread('coupon', 'list')).toEqual({ code: 0, stderr: '' });
  const couponId = await stack.createCoupon(1);
  expect(await unread('coupon', 'pause', String(couponId))).toEqual({ code: 0, stderr: '' });
  expect(await codeFor(couponId, 'u')).toBe('PAUSED');
});

describe('ids', () => {
  it('that are chosen leave room for those that are not', async () => {
    const tooHigh = await stack.firstcome('coupon', 'create', '--total', '1', '--id', '2147483647');
    expect([...failure(tooHigh), tooHigh.stderr]).toEqual([
      64,
      1,
      expect.stringContaining('1 to 1000000000'),
    ]);
    await stack.createCoupon(1, '--id', '1000000000');
    const next = await stack.createCoupon(1);
    expect(next).toBe(1_000_000_001);
    expect(await codeFor(next, 'u')).toBe('ACCEPTED');
  });

  it('asked for by four at once, if absent, make one coupon, and nobody fails', async () => {
    const create = ['coupon', 'create', '--id', '9001', '--if-absent', '--json', '--total'];
    const all = await Promise.all([1, 2, 3, 4].map(() => stack.firstcome(...create, '5')));
    expect(all.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual(all.map(() => [0, '']));
    const views = all.map(({ stdout }) => JSON.parse(stdout) as CouponView);
    expect(views.map(({ state, total }) => [state, total])).toEqual(all.map(() => ['OPEN', 5]));
    expect(await codeFor(9_001, 'u')).toBe('ACCEPTED');

    const other = await stack.firstcome(...create, '6');
    expect(JSON.parse(other.stderr)).toEqual({
      error: { kind: 'failed', exit_code: 1, message: expect.stringContaining('its total is 5') },
    });
    await coupon('set-total', '9001', '7');
    expect((await stack.firstcome(...create, '5')).exitCode).toBe(0);
  });
});
