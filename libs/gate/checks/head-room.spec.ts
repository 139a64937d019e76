import { describe, expect, it } from 'vitest';
import type { Verdict } from '#platform/checks/check.ts';
import { judgeHeadRoom } from './head-room.ts';

const mebibyte = 1_024 * 1_024;
const holderBytes = 200;

/** As Redis tells of a memory of 1 000 MB, of which 100 are in use. */
const limited = `used_memory:${100 * mebibyte - 1}\r\nmaxmemory:${1_000 * mebibyte}\r\ntotal_system_memory:1\r\n`;
const unlimited = `used_memory:0\r\nmaxmemory:0\r\ntotal_system_memory:${500 * mebibyte}\r\n`;

describe('a Redis of 1 000 MB', () => {
  it.each<[number, Verdict]>([
    [0, 'ok'],
    [800, 'ok'],
    [801, 'warning'],
    [1_000, 'warning'],
    [1_001, 'promise_void'],
  ])('whose holders need %d MB: %s', (needed, verdict) => {
    const holders = Math.floor((needed * mebibyte) / holderBytes);
    const judged = judgeHeadRoom(limited, holders);
    expect(judged).toMatchObject({
      name: 'redis.gate.memory',
      verdict,
      message: `100 MB used, ${needed} MB for ${holders} holders, at most 1000 MB`,
    });
    const remedy = expect.stringContaining(`${2 * (100 + needed)} MB`) as string;
    expect(judged).toMatchObject(
      verdict === 'ok' ? {} : { why: expect.any(String) as string, remedy },
    );
    expect('remedy' in judged).toBe(verdict !== 'ok');
  });
});

it('without a limit of its own, a Redis has the memory of its machine', () => {
  expect(judgeHeadRoom(unlimited, 1)).toMatchObject({
    verdict: 'ok',
    message: '0 MB used, 1 MB for 1 holders, at most 500 MB (the machine; maxmemory is not set)',
  });
  const tooMany = (501 * mebibyte) / holderBytes;
  expect(judgeHeadRoom(unlimited, Math.ceil(tooMany)).verdict).toBe('promise_void');
});
