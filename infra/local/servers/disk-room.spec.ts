import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { lackOfRoom } from './disk-room.ts';

test('a disk with too little room for the servers is told in a sentence, with what is free and what is needed', async () => {
  expect(await lackOfRoom(tmpdir(), 1e12)).toMatch(
    /^The disk is full, or nearly: \d+ MB are free in .+, and the servers need some 1000000000000 MB/,
  );
  expect(await lackOfRoom(tmpdir(), 0)).toBeUndefined();
});
