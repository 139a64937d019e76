import { expect, it } from 'vitest';
import { messageOf } from './error-message.ts';

it('anything thrown has a message', () => {
  expect(messageOf(new Error('one'))).toBe('one');
  expect(messageOf({ message: 'two' })).toBe('two');
  expect(messageOf('three')).toBe('three');
  expect(messageOf(undefined)).toBe('undefined');
});
