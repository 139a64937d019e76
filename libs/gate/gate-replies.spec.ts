import { expect, it } from 'vitest';
import { readApplyReply, readReserveReply } from './gate-replies.ts';

it('takes no code for granted that a script of another version may answer', () => {
  expect(() => readReserveReply([0, 1, 1, 0, 0, 5, 8, ''])).toThrow(
    'reserve.lua answered an unknown code: 8',
  );
  expect(() => readApplyReply([5, 1, 1, 0])).toThrow(
    'apply_coupon.lua answered an unknown code: 5',
  );
});
