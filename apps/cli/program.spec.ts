import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { describeFailure } from '#platform/command/describe-failure.ts';
import type { Ending } from './ending.ts';
import { endingOf } from './ending.ts';
import { createProgram } from './program.ts';

let printed = '';

beforeEach(() => {
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

/** How a command ends that needs no store. */
async function ending(...args: string[]): Promise<Ending> {
  try {
    await createProgram().parseAsync(args, { from: 'user' });
  } catch (error) {
    return endingOf(error);
  }
  throw new Error('it did not end by itself');
}

describe('a wrong use ends with 64 and says in one line what is wrong', () => {
  const create = ['coupon', 'create', '--total', '1'];
  test.each([
    [['nonsense'], "unknown command 'nonsense'"],
    [['coupon', 'lst'], '(Did you mean list?)'],
    [['coupon', 'list', '--nonsense'], "unknown option '--nonsense'"],
    [['coupon', 'list', 'more'], 'too many arguments'],
    [['coupon', 'list', '--zone', 'KST'], 'a time zone like Asia/Seoul'],
    [['coupon', 'list', '--zone', 'UTC', '--json'], "'--json'"],
    [['coupon', 'show'], "missing required argument 'id'"],
    [['coupon', 'show', '0'], 'whole number from 1'],
    [['coupon', 'show', '2147483648'], 'whole number from 1'],
    [['coupon', 'create'], '--total'],
    [['coupon', 'create', '--total', '1e3'], 'whole number from 1'],
    [[...create, '--id', '2147483647'], 'whole number from 1 to 1000000000'],
    [[...create, '--if-absent'], '--if-absent needs --id'],
    [[...create, '--opens-at', '2026-12-24T18:00:00'], 'no offset'],
    [[...create, '--opens-at', 'none'], 'It must be a time'],
    [
      [...create, '--opens-at', '2099-01-02T00:00Z', '--closes-at', '2099-01-01T00:00Z'],
      'close later than it opens',
    ],
    [[...create, '--name', 'a\nb'], 'one line'],
    [[...create, '--name', '\u001b[2J'], 'one line'],
    [[...create, '--name', ' '], 'blank'],
    [['coupon', 'rename', '1', '\u202eexe.gpj'], 'one line'],
    [['coupon', 'set-times', '1'], 'say what to change'],
    [['coupon', 'set-times', '1', '--closes-at', 'never'], 'It must be a time'],
    [
      [
        'coupon',
        'set-times',
        '1',
        '--opens-at',
        '2099-01-02T00:00Z',
        '--closes-at',
        '2099-01-01T00:00Z',
      ],
      'close later than it opens',
    ],
    [['verify', '--journal', '/no/such/file'], 'ENOENT'],
    [['verify', '--journal', '/'], 'It is a folder'],
    [['keys', 'create', '--scopes', 'read'], '--name'],
    [['keys', 'create', '--name', 'till', '--scopes', 'write'], 'some of assign,read,admin'],
    [['keys', 'create', '--name', 'till', '--scopes', ''], 'some of assign,read,admin'],
    [['keys', 'create', '--name', 'a\nb', '--scopes', 'read'], 'one line'],
    [['keys', 'rotate', '0123456789ab', '--overlap', '1w'], '0s, 30m, 24h or 7d'],
    [['keys', 'rotate', '0123456789ab', '--overlap', '91d'], 'at most 90d'],
    [['keys', 'revoke', 'firstcome_0123456789ab'], 'never the key'],
    [['dead-letters', 'redrive'], '--max'],
    [['dead-letters', 'discard', '1'], '--reason'],
  ])('%j', async (args, words) => {
    const { exitCode, message } = await ending(...args);
    expect([exitCode, message]).toEqual([64, expect.stringContaining(words)]);
    const text = describeFailure(64, message!, false);
    expect(text).toMatch(/^firstcome: [^\n]+\n$/);
    expect(text).not.toMatch(/[^\n\P{Cc}]|\p{Bidi_Control}/u);
    const asJson = JSON.parse(describeFailure(64, message!, true)) as unknown;
    expect(asJson).toEqual({ error: { kind: 'wrong_use', exit_code: 64, message } });
  });
});

test.each([
  [],
  ['coupon'],
  ['coupon', 'create'],
  ['coupon', 'list'],
  ['coupon', 'show'],
  ['coupon', 'pause'],
  ['coupon', 'resume'],
  ['coupon', 'close'],
  ['coupon', 'set-total'],
  ['coupon', 'set-times'],
  ['coupon', 'rename'],
  ['dead-letters'],
  ['dead-letters', 'list'],
  ['keys'],
  ['keys', 'create'],
  ['keys', 'list'],
  ['keys', 'rotate'],
  ['keys', 'revoke'],
  ['verify'],
  ['reconcile'],
  ['doctor'],
  ['migrate'],
  ['env-example'],
])('--help says how %s %s is used', async (...args) => {
  expect(await ending(...args, '--help')).toEqual({ exitCode: 0 });
  expect(printed).toContain(['Usage: firstcome', ...args].join(' '));
});

test('--version is the version of the package', async () => {
  expect(await ending('--version')).toEqual({ exitCode: 0 });
  expect(printed).toMatch(/^\d+\.\d+\.\d+\n$/);
});
