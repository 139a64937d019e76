import { mkdirSync } from 'node:fs';
import { Redis } from 'ioredis';
import { redisOptions } from '#gate/redis-options.ts';
import { findProgram } from './install.ts';
import type { Program } from './install.ts';
import { runToEnd } from '../processes/process.ts';
import { latencyOf } from './server-kind.ts';
import type { Launch, Place, Pong, ServerKind } from './server-kind.ts';

const redisServer: Program = { binaries: ['redis-server'], apt: ['redis-server'], brew: 'redis' };
const answerTimeoutMs = 2_000;

/** The gate's Redis and that of the job queues: two servers of one kind. */
export function redis(urlVariable: string, caFileVariable: string): ServerKind {
  return {
    urlVariable,
    defaults: {},
    programs: () => [redisServer],
    prepare: async ({ dataDir }) => void mkdirSync(dataDir, { recursive: true }),
    launch: launchRedis,
    url: (port) => `redis://127.0.0.1:${port}`,
    ping: (url) => pingRedis(url, process.env[caFileVariable] || undefined),
    identity: (_place, pid) => String(pid),
  };
}

async function launchRedis({ dataDir, port }: Place): Promise<Launch> {
  const command = (await findProgram(redisServer)) ?? 'redis-server';
  const version = /v=(\S+)/.exec((await runToEnd(command, ['--version'])).output)?.[1] ?? '';
  const settings: Record<string, string> = {
    port: String(port),
    bind: '127.0.0.1',
    dir: dataDir,
    appendonly: 'yes',
    appendfsync: 'everysec',
    // The append-only file is the copy on disk; snapshots would only cost time.
    save: '',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
  };
  return {
    command,
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    source: `${command} ${version}`,
  };
}

async function pingRedis(url: string, caFile: string | undefined): Promise<Pong> {
  const client = new Redis({
    ...redisOptions(url, caFile),
    lazyConnect: true,
    connectTimeout: answerTimeoutMs,
    commandTimeout: answerTimeoutMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let lastError: unknown;
  // Without a listener ioredis prints every error; `connect` only says "Connection is closed".
  client.on('error', (error) => (lastError = error));
  try {
    await client.connect();
    await client.ping();
    const latencyMs = await latencyOf(() => client.ping());
    const info = await client.info('server');
    return { latencyMs, identity: /process_id:(\d+)/.exec(info)?.[1] ?? '' };
  } catch (error) {
    throw lastError ?? error;
  } finally {
    client.disconnect();
  }
}
