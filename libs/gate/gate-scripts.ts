import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import type { OperationMetrics } from '#platform/telemetry/operation-metrics.ts';

/** One file per script in `scripts/`, named by its verb; its header lists keys, arguments, reply. */
const scriptNames = [
  'reserve',
  'confirm',
  'release',
  'list_pending',
  'inspect',
  'apply_coupon',
  'fence',
  'claim',
  'stage',
  'open',
  'archive',
] as const;

export type ScriptName = (typeof scriptNames)[number];

type ScriptCommand = (...args: (number | string)[]) => Promise<unknown>;

/** Runs the gate's scripts by digest; a Redis that does not know one yet is sent its text. */
export class GateScripts {
  private readonly commands: ReadonlyMap<ScriptName, ScriptCommand>;

  constructor(
    redis: Redis,
    private readonly metrics: OperationMetrics | undefined,
  ) {
    const prelude = readScript('prelude');
    this.commands = new Map(
      scriptNames.map((name) => {
        redis.defineCommand(name, { lua: prelude + readScript(name) });
        const command = Reflect.get(redis, name) as ScriptCommand;
        return [name, command.bind(redis)];
      }),
    );
  }

  run(name: ScriptName, keys: string[], args: (number | string)[]): Promise<unknown> {
    const command = this.commands.get(name)!;
    const startedAt = performance.now();
    const answer = command(keys.length, ...keys, ...args);
    answer.then(
      () => this.metrics?.redis(name, startedAt),
      (error: unknown) => this.metrics?.redis(name, startedAt, error),
    );
    return answer;
  }
}

/** Its text, without the prelude. */
export function readScript(name: string): string {
  return readFileSync(new URL(`scripts/${name}.lua`, import.meta.url), 'utf8');
}
