import { readFileSync } from 'node:fs';
import os from 'node:os';
import type { Endpoint } from '../infra/local/servers/servers.ts';

/** Where figures were measured: without it they say nothing. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryBytes: number;
  system: string;
  /** Before anything was started: over 1, 5 and 15 minutes. */
  loadBefore: number[];
  versions: Record<string, string>;
}

export function describeMachine(
  loadBefore: number[],
  servers: Endpoint[],
  loadGenerator: string,
): Machine {
  const sources = servers.map(({ name, source }) => [name, source]);
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    system: `${os.type()} ${os.release()}`,
    loadBefore,
    versions: {
      node: process.version,
      fastify: installedVersion('fastify'),
      ioredis: installedVersion('ioredis'),
      loadGenerator,
      ...(Object.fromEntries(sources) as Record<string, string>),
    },
  };
}

function installedVersion(name: string): string {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
