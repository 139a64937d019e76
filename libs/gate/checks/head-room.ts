import type { CheckResult } from '#platform/checks/check.ts';
import type { RedisConnection } from '../redis-connection.ts';
import { infoField } from './redis-info.ts';

/** Measured with user ids of 36 characters: 140; longer ones, and a hash that grows, take more. */
const holderBytes = 200;
/** Of the memory; a recovery frees what a gate held before it builds it anew. */
const headRoomMax = 0.8;
const mebibyte = 1_024 * 1_024;

/** Whether the gates of so many holders could be built anew in this Redis. */
export async function checkHeadRoom(
  connection: RedisConnection,
  holders: number,
): Promise<CheckResult> {
  return judgeHeadRoom(await connection.redis.info('memory'), holders);
}

/** By what Redis tells of its memory (INFO). */
export function judgeHeadRoom(info: string, holders: number): CheckResult {
  const name = 'redis.gate.memory';
  const used = Number(infoField(info, 'used_memory'));
  const limit = Number(infoField(info, 'maxmemory'));
  const most = limit || Number(infoField(info, 'total_system_memory'));
  const needed = holders * holderBytes;
  const message = `${inMebibytes(used)} used, ${inMebibytes(needed)} for ${holders} holders, at most ${inMebibytes(most)}${limit === 0 ? ' (the machine; maxmemory is not set)' : ''}`;
  const remedy = `CONFIG SET maxmemory to ${inMebibytes(2 * (used + needed))} or more, on a machine that has it`;
  if (needed > most) {
    return {
      name,
      verdict: 'promise_void',
      message,
      why: 'a Redis that is lost could not be rebuilt: its gates would stay shut',
      remedy,
    };
  }
  return needed > headRoomMax * most
    ? {
        name,
        verdict: 'warning',
        message,
        why: 'holders take nearly all of it, and a Redis that is full refuses whoever is new',
        remedy,
      }
    : { name, verdict: 'ok', message };
}

function inMebibytes(bytes: number): string {
  return `${Math.ceil(bytes / mebibyte)} MB`;
}
