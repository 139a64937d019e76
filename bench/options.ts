import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { localDir } from '../infra/local/processes/paths.ts';
import { ReadableError } from '../infra/local/terminal/readable-error.ts';

export interface BenchOptions {
  rounds: number;
  /** Of one run: one target at one connection count. */
  seconds: number;
  /** In ascending order, each once. */
  connections: number[];
  jsonFile: string;
  /** The least ratio of assign to the server with one Lua call that still passes. */
  floor: number | undefined;
}

export const usage = `npm run bench -- [options]

Measures, side by side and in turns: bare Fastify with a constant answer; bare Fastify with one Lua
call for each request, also with the calls pipelined; and assign, with the issuer and the keeper
running. Brings up what it needs on the servers of npm test, and stops it again.

  --rounds N          rounds, each of every target at every connection count   (5)
  --seconds N         length of one run                                        (5)
  --connections LIST  connection counts, separated by commas                   (64,256)
  --json FILE         where to write every figure                  (.local/bench/TIME.json)
  --floor RATIO       exit with 1 when assign does not reach this part of what the server with one
                      Lua call does, at the highest connection count
`;

/** Throws `ReadableError` with the usage for anything that cannot be meant. */
export function parseOptions(args: string[], now = new Date()): BenchOptions {
  const given = readArguments(args);
  const connections = (given.connections ?? '64,256')
    .split(',')
    .map((text) => wholeNumber('--connections', text, 4_096));
  const file = `${now.toISOString().replaceAll(':', '-').slice(0, 19)}.json`;
  return {
    rounds: wholeNumber('--rounds', given.rounds ?? '5', 1_000),
    seconds: wholeNumber('--seconds', given.seconds ?? '5', 3_600),
    connections: [...new Set(connections)].sort((a, b) => a - b),
    jsonFile: given.json ?? join(localDir, 'bench', file),
    floor: given.floor === undefined ? undefined : ratio('--floor', given.floor),
  };
}

type Arguments = Partial<Record<'rounds' | 'seconds' | 'connections' | 'json' | 'floor', string>>;

function readArguments(args: string[]): Arguments {
  const text = { type: 'string' } as const;
  const options = { rounds: text, seconds: text, connections: text, json: text, floor: text };
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw wrong((error as Error).message);
  }
}

function wholeNumber(name: string, text: string, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > most) {
    throw wrong(`${name} takes whole numbers from 1 to ${most}, not "${text}".`);
  }
  return value;
}

function ratio(name: string, text: string): number {
  const value = Number(text);
  if (!/^\d*\.?\d+$/.test(text) || value <= 0) {
    throw wrong(`${name} takes a number above 0, not "${text}".`);
  }
  return value;
}

function wrong(message: string): ReadableError {
  return new ReadableError(`${message}\n\n${usage.trimEnd()}`, 2);
}
