import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { choosePort } from '../servers/ports.ts';
import { findProgram } from '../servers/install.ts';
import type { Program } from '../servers/install.ts';
import type { MonitorPlan } from './monitor.ts';
import { processExporterConfig } from './configs.ts';
import { mysqlExporter, nodeExporter, processExporter, redisExporter } from './programs.ts';

/** The stores of a stack. */
export interface Stores {
  /** With the URLs of Redis and MySQL. */
  env: Record<string, string>;
  /** What only the command line of its MySQL has, when that runs on this machine. */
  mysqlCommandLine?: string | undefined;
}

/** An exporter, and the job that asks it. */
export interface ExporterPlan extends MonitorPlan {
  job: string;
  labels: Record<string, string>;
}
type Draft = Omit<ExporterPlan, 'command'> & { program: Program };

/** Of a machine whose figures are put in by a test; the real ones otherwise. */
export interface Machine {
  procDir?: string;
}

const anywhere = '/metrics';

/** How to run the exporters that this machine has, on free ports. */
export async function planExporters(
  { env, mysqlCommandLine }: Stores,
  directory: string,
  taken: Set<number>,
  machine: Machine = {},
): Promise<ExporterPlan[]> {
  const processNames = join(directory, 'process-exporter.yml');
  writeFileSync(processNames, processExporterConfig(mysqlCommandLine));
  const port = (preferred: number): Promise<number> => choosePort(preferred, taken);
  const all = [
    redisPlan('gate', env['GATE_REDIS_URL']!, await port(9121)),
    redisPlan('jobs', env['JOBS_REDIS_URL']!, await port(9122)),
    mysqlPlan(env['MYSQL_URL']!, await port(9104)),
    nodePlan(await port(9100), machine),
    processPlan(await port(9256), processNames),
  ];
  const commands = await Promise.all(all.map(({ program }) => findProgram(program)));
  return all.flatMap((draft, i) => {
    const command = commands[i];
    return command === undefined ? [] : [{ ...draft, command }];
  });
}

function redisPlan(store: string, url: string, port: number): Draft {
  const { username, password, protocol, host, pathname } = new URL(url);
  return {
    name: `${store}-redis-exporter`,
    job: 'redis',
    labels: { store },
    program: redisExporter,
    port,
    args: [`-web.listen-address=127.0.0.1:${port}`],
    env: {
      REDIS_ADDR: protocol === 'unix:' ? `unix://${pathname}` : `${protocol}//${host}`,
      REDIS_USER: decodeURIComponent(username),
      REDIS_PASSWORD: decodeURIComponent(password),
    },
    readyPath: '/health',
  };
}

function mysqlPlan(url: string, port: number): Draft {
  const { username, password, host, searchParams } = new URL(url);
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const socket = searchParams.get('socket');
  const address = socket === null ? `tcp(${host})` : `unix(${socket})`;
  return {
    name: 'mysql-exporter',
    job: 'mysql',
    labels: { store: 'mysql' },
    program: mysqlExporter,
    port,
    args: [
      `--web.listen-address=127.0.0.1:${port}`,
      // A MySQL that stands still is told by `mysql_up` before Prometheus gives up.
      '--timeout-offset=1',
      '--exporter.lock_wait_timeout=1',
      '--no-collect.slave_status',
    ],
    env: { DATA_SOURCE_NAME: `${login}@${address}/?timeout=1s&readTimeout=1s` },
    readyPath: '/',
  };
}

function nodePlan(port: number, { procDir }: Machine): Draft {
  return {
    name: 'node-exporter',
    job: 'node',
    labels: {},
    program: nodeExporter,
    port,
    args: [
      `--web.listen-address=127.0.0.1:${port}`,
      '--collector.disable-defaults',
      ...['cpu', 'meminfo', 'filesystem', 'loadavg'].map((name) => `--collector.${name}`),
      ...(procDir === undefined ? [] : [`--path.procfs=${procDir}`]),
    ],
    readyPath: anywhere,
  };
}

function processPlan(port: number, config: string): Draft {
  return {
    name: 'process-exporter',
    job: 'process',
    labels: {},
    program: processExporter,
    port,
    args: [
      `--web.listen-address=127.0.0.1:${port}`,
      `--config.path=${config}`,
      '--threads=false',
      '--gather-smaps=false',
      '--recheck',
    ],
    readyPath: anywhere,
  };
}
