import { expect, test } from 'vitest';
import { decimalIn, wholeNumberIn } from './decimals.ts';

test.each(['1e3', '0x10', '+5', '-5', ' 5', '5 ', '\u0665', '', '.', '1.', '1_000', 'NaN'])(
  '%j is no number in plain digits',
  (text) => {
    expect(wholeNumberIn(text)).toBeUndefined();
    expect(decimalIn(text)).toBeUndefined();
  },
);

test.each([
  ['0', 0],
  ['007', 7],
  ['999999999999999', 999_999_999_999_999],
])('%s is a whole number, and a decimal, too', (text, number) => {
  expect(wholeNumberIn(text)).toBe(number);
  expect(decimalIn(text)).toBe(number);
});

test.each([0.5, 1 / 3_600, 87_599.999_999])('%d is a decimal as a program writes it', (number) => {
  expect(wholeNumberIn(String(number))).toBeUndefined();
  expect(decimalIn(String(number))).toBe(number);
});

test('what has more digits than a number keeps is none', () => {
  expect(wholeNumberIn('9'.repeat(16))).toBeUndefined();
  expect(decimalIn('9'.repeat(16))).toBeUndefined();
});
