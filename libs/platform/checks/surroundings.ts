import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Config } from '../config/config.ts';
import type { CheckResult } from './check.ts';

const nodeTested = 20;
/** What an api opens beside the connections of its clients. */
const otherFiles = 200;
/** As `apps/api` asks for. */
const backlog = 4_096;
const gibibyte = 1_024 ** 3;

/** The machine that this runs on, as far as our processes care. */
export async function checkSurroundings(config: Config): Promise<CheckResult[]> {
  return [
    judgeNode(process.versions.node),
    ...judgeOpenFiles(config.API_CONNECTIONS_MAX + config.MYSQL_POOL_SIZE + otherFiles),
    ...judgeBacklog(),
    await judgePort('host.port.api', config.API_HOST, config.API_PORT),
    judgeDisk('host.disk', process.cwd()),
  ];
}

function judgeNode(version: string): CheckResult {
  const name = 'host.node';
  return Number.parseInt(version, 10) >= nodeTested
    ? { name, verdict: 'ok', message: `Node ${version}` }
    : {
        name,
        verdict: 'warning',
        message: `Node ${version}`,
        why: 'our processes are tested on Node 24, which is one of the packages',
        remedy: 'Node 24',
      };
}

/** Linux tells; elsewhere nothing is said. */
function judgeOpenFiles(needed: number): CheckResult[] {
  const limits = '/proc/self/limits';
  if (!existsSync(limits)) {
    return [];
  }
  const name = 'host.open-files';
  const [, most = ''] = /^Max open files\s+(\S+)/m.exec(readFileSync(limits, 'utf8')) ?? [];
  const message = `a process may open ${most} files, an api needs up to ${needed}`;
  return [
    most === 'unlimited' || Number(most) >= needed
      ? { name, verdict: 'ok', message }
      : {
          name,
          verdict: 'warning',
          message,
          why: 'connections of clients are refused beyond that',
          remedy: `ulimit -n ${needed}, or lower API_CONNECTIONS_MAX`,
        },
  ];
}

function judgeBacklog(): CheckResult[] {
  const file = '/proc/sys/net/core/somaxconn';
  if (!existsSync(file)) {
    return [];
  }
  const name = 'host.backlog';
  const most = Number(readFileSync(file, 'utf8'));
  const message = `${most} connections may wait to be taken in, an api asks for ${backlog}`;
  return [
    most >= backlog
      ? { name, verdict: 'ok', message }
      : {
          name,
          verdict: 'warning',
          message,
          why: 'in a rush the kernel drops what comes beyond',
          remedy: `sysctl net.core.somaxconn=${backlog}`,
        },
  ];
}

/** A port that is taken by an api of ours is as it should be. */
async function judgePort(name: string, host: string, port: number): Promise<CheckResult> {
  const message = `port ${port} of ${host}`;
  if (await isFree(host, port)) {
    return { name, verdict: 'ok', message: `${message} is free` };
  }
  return (await isApi(host, port))
    ? { name, verdict: 'ok', message: `${message} is served by an api` }
    : {
        name,
        verdict: 'warning',
        message: `${message} is taken by another program, or not an address of this machine`,
        why: 'an api that is started here could not listen',
        remedy: 'stop that program, or set API_HOST and API_PORT',
      };
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

async function isApi(host: string, port: number): Promise<boolean> {
  const answer = await fetch(
    `http://${host.includes(':') ? `[${host}]` : host}:${port}/health/live`,
    {
      signal: AbortSignal.timeout(1_000),
    },
  ).catch(() => undefined);
  return answer?.status === 200;
}

/** Of a directory that may be on another machine: then it is not here, and nothing is said. */
export function judgeDisk(name: string, directory: string): CheckResult {
  const { bavail, bsize } = statfsSync(directory);
  const free = bavail * bsize;
  const message = `${(free / gibibyte).toFixed(1)} GiB are free at ${directory}`;
  return free > gibibyte
    ? { name, verdict: 'ok', message }
    : {
        name,
        verdict: 'warning',
        message,
        why: 'a full disk stops Kafka and MySQL',
        remedy: 'make room',
      };
}
