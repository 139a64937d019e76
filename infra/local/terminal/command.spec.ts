import { expect, test } from 'vitest';
import { inWords } from './command.ts';
import { ReadableError } from './readable-error.ts';

test('a full disk is told in a sentence; what nobody foresaw, with its stack', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
    code: 'ENOSPC',
  });
  expect(inWords(full)).toBe(
    'The disk of this folder is full. Make room, then run the same command again.',
  );
  expect(inWords(new ReadableError('Port 1 is taken.'))).toBe('Port 1 is taken.');
  expect(inWords(new Error('unforeseen'))).toMatch(/^Error: unforeseen\n +at /);
});
