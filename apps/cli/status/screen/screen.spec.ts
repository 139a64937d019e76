import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { aCoupon, aGate, aLook } from '../look/looks.fixture.ts';
import { screenOf } from './screen.ts';
import { statusOf } from '../status.ts';

const coupons = [
  aCoupon({ id: 7, name: '겨울 한정 쿠폰', total: 2_000_000_000, issued: 1_234_567 }),
  aCoupon({ id: 123, name: 'summer \u001B[31mred' }),
  aCoupon({ id: 2_147_483_647, name: 'a very long name that goes on and on', state: 'paused' }),
];
const gates = coupons.map(
  ({ id, total }) => [id, aGate({ total, holders: id === 7 ? 1_300_000 : 50 })] as const,
);
const given = {
  coupons,
  gates: gates as never,
  log: [
    [40, 90],
    [5, 5],
  ] as never,
};
const status = statusOf(
  aLook({ ...given, delayS: 7 }),
  aLook({ ...given, atMs: 2_000, delayS: 8, openDeadLetters: 3, whole: { alerts: undefined } }),
);

describe.each([30, 40, 80, 120])('at a width of %d', (width) => {
  const lines = screenOf(status, { width, hasColours: false });

  it('no line is longer, and the verdict comes first', () => {
    expect(lines.filter((line) => stringWidth(line) > width)).toEqual([]);
    expect(lines[0]).toMatch(/^BEHIND: by 50 records/);
  });

  it('shows of each coupon what is left of it', () => {
    const text = lines.join('\n');
    for (const { id } of coupons) {
      expect(text).toMatch(new RegExp(`^ *${id} `, 'm'));
    }
    expect(text).toContain('1 998 700 000');
  });

  it('shows partitions with their records, stores with their roles, and that nobody was asked for alerts', () => {
    const text = lines.join('\n');
    expect(text).toMatch(/^ +0 +50/m);
    for (const store of ['gate-redis', 'kafka', 'mysql', 'jobs-redis']) {
      expect(text).toContain(store);
    }
    expect(text.replaceAll(/\n\s*/g, ' ')).toContain('nobody was asked');
  });

  it('nothing in a name steers the terminal', () => {
    expect(lines.join('\n')).not.toContain('\u001B');
  });

  it('colours take no place', () => {
    const coloured = screenOf(status, { width, hasColours: true });
    expect(coloured.join('')).toContain('\u001B[');
    expect(coloured.map((line) => stripVTControlCharacters(line))).toEqual(lines);
  });
});

it('columns stand under their titles, whatever script a name is in', () => {
  const lines = screenOf(status, { width: 120, hasColours: false });
  const head = lines.findIndex((line) => /^ +id/.test(line));
  const places = (line: string, text: string): number =>
    stringWidth(line.slice(0, line.indexOf(text)));
  const at = places(lines[head]!, 'state');
  const states = lines.slice(head + 1, head + 4);
  expect(states.map((line) => places(line, /OPEN|PAUSED/.exec(line)![0]))).toEqual([at, at, at]);
});

it('is no higher than the terminal, and says how much is left out', () => {
  const lines = screenOf(status, { width: 80, height: 10, hasColours: false });
  expect(lines).toHaveLength(10);
  expect(lines.at(-1)).toMatch(/^… \d+ more lines$/);
});
