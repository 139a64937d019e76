import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serverPid, startServer, stopServer } from '../../infra/local/servers/servers.ts';
import type { Letter } from '../harness/stack/dead-letter-stack.ts';
import { DeadLetterStack } from '../harness/stack/dead-letter-stack.ts';
import { eventually } from '../../infra/local/processes/waiting.ts';
import { anIssuanceId } from '../harness/fixtures.ts';

const serversAreOurs = serverPid('test', 'mysql') !== undefined;

let here: DeadLetterStack;

beforeAll(async () => {
  here = await DeadLetterStack.start();
});
afterAll(() => here.stop());

describe('redrive', () => {
  const wanted = (userId: string, of = here.couponId) => ({ user_id: userId, coupon_id: of, v: 1 });

  it('is a new admission, which ends ISSUED and can be repeated without harm', async () => {
    const { id } = await here.letterOf(wanted('redriven'));
    const first = await here.command('redrive', String(id));
    expect(first.exitCode).toBe(0);
    const [, issuanceId] = /redriven {2}(\S+) {2}issued to user "redriven"/.exec(first.stdout)!;
    expect(await here.issuedUnder(issuanceId!)).toMatchObject({ user_id: 'redriven' });
    expect(await here.json('show', String(id))).toMatchObject({
      state: 'REDRIVEN',
      issuance_id: issuanceId,
      settled_at: expect.any(String),
    });
    const second = await here.command('redrive', String(id));
    expect([second.exitCode, second.stdout]).toEqual([0, expect.stringContaining(issuanceId!)]);
    const third = await here.letterOf(wanted('redriven'));
    expect(await here.json('redrive', String(third.id))).toEqual([
      expect.objectContaining({ is_redriven: true, issuance_id: issuanceId }),
    ]);
  });

  it('with --dry-run says what it would try, and changes nothing', async () => {
    const { id } = await here.letterOf(wanted('dry'));
    const { exitCode, stdout } = await here.command('redrive', '--dry-run', String(id));
    expect(stdout).toBe(
      `${id}  redrivable  would be tried for user "dry" of coupon ${here.couponId}\n`,
    );
    expect(exitCode).toBe(0);
    expect(await here.json('show', String(id))).toMatchObject({ state: 'OPEN' });
    expect((await here.stack.request('/api/v1/users/dry/coupons')).body.coupons).toEqual([]);
    expect(
      (await here.stack.assign(here.couponId, 'dry')).headers.get('idempotent-replayed'),
    ).toBeNull();
  });

  it('leaves open what cannot be read or admitted, says why, and exits with 1', async () => {
    const soldOut = await here.stack.createCoupon(1);
    await here.stack.assign(soldOut, 'the only one');
    const unreadable = await here.letterOf('no JSON');
    const late = await here.letterOf(wanted('late', soldOut));
    const nowhere = await here.letterOf(wanted('lost', 1_999_999_999));
    const good = await here.letterOf(wanted('good'));
    const ids = [unreadable, late, nowhere, good].map(({ id }) => String(id));
    const { exitCode, stdout } = await here.command('redrive', ...ids, '9999999999');
    expect(exitCode).toBe(1);
    expect(stdout).toContain(`${ids[0]}  unreadable  left OPEN, no user and coupon can be read`);
    expect(stdout).toContain(`${ids[1]}  not_admitted  left OPEN, nothing is left`);
    expect(stdout).toContain(`${ids[2]}  not_admitted  left OPEN, there is no such coupon`);
    expect(stdout).toMatch(new RegExp(`^${ids[3]}  redriven  `, 'm'));
    expect(stdout).toContain('9999999999  missing  there is no such dead letter');
    const open = (await here.openLetters()).map(({ id }) => String(id));
    expect(open).toEqual(expect.arrayContaining(ids.slice(0, 3)));
    expect(open).not.toContain(ids[3]);

    await here.stack.firstcome('coupon', 'set-total', String(soldOut), '2');
    expect((await here.command('redrive', ids[1]!)).exitCode).toBe(0);
  });

  it('takes the oldest open ones, at most --max, from after an id on', async () => {
    const letters: Letter[] = [];
    for (const userId of ['max-1', 'max-2', 'max-3']) {
      letters.push(await here.letterOf(wanted(userId)));
    }
    const after = String(letters[0]!.id - 1);
    const views = await here.json<{ id: number }[]>('redrive', '--max', '2', '--after', after);
    expect(views.map(({ id }) => id)).toEqual(letters.slice(0, 2).map(({ id }) => id));
    expect(await here.json('show', String(letters[2]!.id))).toMatchObject({ state: 'OPEN' });
  });

  it.skipIf(!serversAreOurs)(
    'leaves open what Kafka does not confirm, and finishes later',
    async () => {
      const first = await here.letterOf(wanted('unconfirmed'));
      const second = await here.letterOf(wanted('not tried'));
      const ids = [String(first.id), String(second.id)];
      await stopServer('test', 'kafka');
      try {
        const { exitCode, stdout } = await here.command('redrive', ...ids);
        expect(exitCode).toBe(1);
        expect(stdout).toContain(`${ids[0]}  not_admitted  left OPEN, a unit is held, but`);
        expect(stdout).toContain(`${ids[1]}  not_tried  left OPEN`);
      } finally {
        await startServer('test', 'kafka');
      }
      await eventually(
        async () => (await here.command('redrive', ...ids)).exitCode === 0 || undefined,
      );
      for (const id of ids) {
        const { issuance_id: issuanceId } = await here.json<{ issuance_id: string }>('show', id);
        await here.issuedUnder(issuanceId);
      }
      await here.expectAllInvariants();
    },
  );
});

describe('discard', () => {
  it('settles for good, and keeps the letter with the reason', async () => {
    const { id } = await here.letterOf({ v: 1, type: 'of a test', issuance_id: anIssuanceId() });
    const { exitCode, stdout } = await here.command('discard', String(id), '--reason', 'test data');
    expect([exitCode, stdout]).toEqual([0, `${id}  discarded\n`]);
    expect(await here.json('show', String(id))).toMatchObject({
      state: 'DISCARDED',
      settled_reason: 'test data',
    });
    const redrive = await here.command('redrive', String(id));
    expect([redrive.exitCode, redrive.stdout]).toEqual([
      1,
      expect.stringContaining('is DISCARDED already'),
    ]);
  });

  it('of all that are open leaves none, and what is found later is open', async () => {
    await here.letterOf('one');
    const open = await here.openLetters();
    expect(await here.json('discard', '--all-open', '--reason', 'cleared')).toEqual({
      discarded: open.length,
    });
    expect(await here.json('list')).toEqual([]);
    const later = await here.letterOf('later');
    const { stdout } = await here.command('list');
    expect(stdout).toMatch(/^id +state +found_at +partition\/offset +reason\n/);
    expect(stdout).toMatch(new RegExp(`^${later.id} +OPEN `, 'm'));
    expect(stdout.trim().split('\n')).toHaveLength(2);
  });
});

it('a mistake is told in a line', async () => {
  for (const [args, message] of [
    [['redrive'], '--max'],
    [['redrive', '1', '2', '--max', '1'], '2 ids are more than --max 1'],
    [['redrive', '--max', '0'], 'whole number from 1'],
    [['redrive', 'x'], 'whole number from 1'],
    [['discard', '1'], '--reason'],
    [['discard', '--reason', 'r'], '--all-open'],
    [['discard', '1', '--all-open', '--reason', 'r'], '--all-open'],
    [['discard', '1', '--reason', ' '], '--reason needs 1 to 500 characters'],
    [['show', '9999999999'], 'there is no dead letter 9999999999'],
  ] as const) {
    const { exitCode, stderr } = await here.command(...args);
    const code = args[0] === 'show' ? 1 : 64;
    expect([exitCode, stderr]).toEqual([code, expect.stringContaining(message)]);
  }
});

it('--help says what there is', async () => {
  for (const args of [[], ['list'], ['show'], ['redrive'], ['discard']]) {
    const { exitCode, stdout } = await here.command(...args, '--help');
    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringContaining('Usage: firstcome dead-letters'),
    ]);
  }
});
