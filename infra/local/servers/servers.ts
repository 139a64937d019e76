import { rmSync } from 'node:fs';
import { takeInstance, publishEnvironment, releaseInstance } from '../processes/instance-owner.ts';
import { lackOfRoom } from './disk-room.ts';
import { dockerRuns, dockerStop, dockerUp } from './docker.ts';
import { ensurePrograms } from './install.ts';
import { kafka } from './kafka.ts';
import { PortTakenError, runLocally } from './local-server.ts';
import { mysql } from './mysql.ts';
import { dataDir, localDir, serverNames } from '../processes/paths.ts';
import type { Instance, ServerName } from '../processes/paths.ts';
import { allocatePorts, rememberedPorts } from './ports.ts';
import type { PortName, Ports } from './ports.ts';
import { terminate } from '../processes/process.ts';
import { waitUntil } from '../processes/waiting.ts';
import { silent } from '../terminal/progress.ts';
import type { Report } from '../terminal/progress.ts';
import { messageOf } from '#platform/text/error-message.ts';
import { ReadableError } from '../terminal/readable-error.ts';
import { redis } from './redis.ts';
import {
  isRunning,
  listRunFiles,
  readRunFile,
  removeRunFile,
  writeRunFile,
} from '../processes/run-files.ts';
import type { ServerKind } from './server-kind.ts';

const answerDeadlineMs = 15_000;

const kinds: Record<ServerName, ServerKind> = {
  'gate-redis': redis('GATE_REDIS_URL', 'GATE_REDIS_CA_FILE'),
  'jobs-redis': redis('JOBS_REDIS_URL', 'JOBS_REDIS_CA_FILE'),
  kafka,
  mysql,
};

/** A server that answered. */
export interface Endpoint {
  name: ServerName;
  /** 'environment', 'docker', or the program on this machine and its version. */
  source: string;
  /** Of one PING, SELECT 1 or cluster description. */
  latencyMs: number;
}

export interface Endpoints {
  /** The settings that lead our processes to these servers. */
  env: Record<string, string>;
  servers: Endpoint[];
}

/**
 * Brings up the servers of an instance and returns when all of them answer. Each comes from the
 * environment (its URL is set), else from Docker, else from this machine, where missing programs
 * are installed. What an earlier run left behind is stopped first. Throws, with nothing left
 * running, when a server does not come up, when another process runs this instance, or once
 * `abort` says so.
 */
export async function startServers(
  instance: Instance,
  report: Report,
  abort?: AbortSignal,
): Promise<Endpoints> {
  takeInstance(instance);
  try {
    await stopLeftovers(instance, report);
    const given = serverNames.filter((name) => givenUrl(name) !== undefined);
    const ours = serverNames.filter((name) => !given.includes(name));
    // First, so that a wrong URL is told before anything is installed or started.
    const servers = await Promise.all(
      given.map((name) => endpoint(instance, name, givenUrl(name) ?? '')),
    );
    const ports = await bringUp(instance, ours, report, abort);
    const url = (name: ServerName): string => givenUrl(name) ?? kinds[name].url(ports[name]);
    for (const name of ours) {
      servers.push(await endpoint(instance, name, url(name)));
    }
    const env: Record<string, string> = {};
    serverNames.forEach((name) => Object.assign(env, settingsOf(name, url(name))));
    publishEnvironment(instance, env);
    return { env, servers };
  } catch (error) {
    const lack = await lackOfRoom(localDir).catch(() => undefined);
    await stopServers(instance);
    throw lack === undefined ? error : new ReadableError(`${lack}\n${messageOf(error)}`);
  }
}

/** Stops all that we started of an instance, wherever it runs, and gives it up. */
export async function stopServers(instance: Instance): Promise<void> {
  await stopAll(instance);
  releaseInstance(instance);
}

/** Our processes first: they finish what they have begun while the servers are still there. */
async function stopAll(instance: Instance): Promise<void> {
  for (const kind of ['app', 'spare']) {
    const runs = listRunFiles(instance).filter((run) => run.kind === kind);
    await Promise.all(runs.map((run) => terminate(run.pid, run.startedAt)));
    runs.forEach((run) => removeRunFile(instance, run.name));
  }
  await Promise.all(serverNames.map((name) => stopServer(instance, name)));
}

/** Starts one server again, on the port and with the data it had. Does nothing while it runs. */
export async function startServer(instance: Instance, name: ServerName): Promise<void> {
  const ports = rememberedPorts(instance);
  const given = givenUrl(name);
  if (ports === undefined || (given !== undefined && given !== kinds[name].url(ports[name]))) {
    throw new ReadableError(`${name} of ${instance} was not started here: start them all first.`);
  }
  const run = readRunFile(instance, name);
  if (run !== undefined && isRunning(run)) {
    return;
  }
  if (await dockerRuns()) {
    await bringUpInDocker(instance, [name], ports);
  } else {
    await runLocally(instance, name, kinds[name], ports, silent);
  }
}

/** Stops one server; `SIGKILL` as a crash would. Its data stays, and so does its port. */
export async function stopServer(
  instance: Instance,
  name: ServerName,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<void> {
  const run = readRunFile(instance, name);
  if (run === undefined) {
    return;
  }
  if (run.source === 'docker') {
    await dockerStop(instance, [name], signal);
  } else {
    await terminate(run.pid, run.startedAt, { signal });
  }
  removeRunFile(instance, name);
}

/** The process of a server, or nothing when it does not run, or not as a process of ours. */
export function serverPid(instance: Instance, name: ServerName): number | undefined {
  const run = readRunFile(instance, name);
  return run !== undefined && isRunning(run) ? run.pid : undefined;
}

/** Deletes the data of a server on this machine that does not run. */
export function wipeServer(instance: Instance, name: ServerName): void {
  if (readRunFile(instance, name)?.source === 'docker' || serverPid(instance, name) !== undefined) {
    throw new ReadableError(`Stop ${name} of ${instance} before deleting its data.`);
  }
  rmSync(dataDir(instance, name), { recursive: true, force: true });
}

/** Stops what a supervisor that was killed left running. */
export async function stopLeftovers(instance: Instance, report: Report): Promise<void> {
  const left = listRunFiles(instance).filter((run) => run.kind !== 'supervisor');
  const alive = left.filter((run) => run.source === 'docker' || isRunning(run));
  if (alive.length > 0) {
    const names = alive.map((run) => run.name).join(', ');
    await report.step(`stopping what an earlier run left: ${names}`, () => stopAll(instance));
  }
  left.forEach((run) => removeRunFile(instance, run.name));
}

async function bringUp(
  instance: Instance,
  names: ServerName[],
  report: Report,
  abort?: AbortSignal,
): Promise<Ports> {
  const inDocker = names.length > 0 && (await dockerRuns());
  if (!inDocker) {
    await ensurePrograms(distinctPrograms(names), report);
  }
  const allocate = (forNames: ServerName[]): Promise<Ports> =>
    allocatePorts(instance, forNames.flatMap(portNames), (text) => report.line(text));
  const ports = await allocate(names);
  if (inDocker) {
    await report.step(`docker compose up ${names.join(' ')}`, () =>
      bringUpInDocker(instance, names, ports),
    );
    return ports;
  }
  // Wait for all even when one fails: what is still starting could not be stopped otherwise.
  const run = async (name: ServerName): Promise<void> => {
    try {
      await runLocally(instance, name, kinds[name], ports, report, abort);
    } catch (error) {
      if (!(error instanceof PortTakenError)) throw error;
      Object.assign(ports, await allocate([name]));
      await runLocally(instance, name, kinds[name], ports, report, abort);
    }
  };
  const results = await Promise.allSettled(names.map((name) => report.step(name, () => run(name))));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) {
    throw failed.reason;
  }
  return ports;
}

function portNames(name: ServerName): PortName[] {
  return name === 'kafka' ? ['kafka', 'kafka-controller'] : [name];
}

async function bringUpInDocker(
  instance: Instance,
  names: ServerName[],
  ports: Ports,
): Promise<void> {
  const common = { kind: 'server', pid: 0, startedAt: '', source: 'docker' } as const;
  names.forEach((name) =>
    writeRunFile(instance, { ...common, command: [], name, port: ports[name] }),
  );
  await dockerUp(instance, names, ports);
}

function distinctPrograms(names: ServerName[]): ReturnType<ServerKind['programs']> {
  return [...new Set(names.flatMap((name) => kinds[name].programs()))];
}

function givenUrl(name: ServerName): string | undefined {
  return process.env[kinds[name].urlVariable] || undefined;
}

function settingsOf(name: ServerName, url: string): Record<string, string> {
  const { urlVariable, defaults } = kinds[name];
  const ours = givenUrl(name) === undefined ? defaults : {};
  const chosen = Object.entries(ours).map(([key, value]) => [key, process.env[key] || value]);
  return { [urlVariable]: url, ...(Object.fromEntries(chosen) as Record<string, string>) };
}

async function endpoint(instance: Instance, name: ServerName, url: string): Promise<Endpoint> {
  const source = givenUrl(name) === undefined ? readRunFile(instance, name)?.source : undefined;
  let lastReason = 'no answer';
  const ask = (): Promise<number | undefined> =>
    kinds[name].ping(url).then(
      (pong) => pong.latencyMs,
      (error: unknown) => void (lastReason = messageOf(error)),
    );
  const latencyMs = await waitUntil(ask, {
    deadlineMs: answerDeadlineMs,
    intervalMs: 500,
    failure: () =>
      source === undefined
        ? `${kinds[name].urlVariable} is set, but that server does not answer: ${lastReason}`
        : `${name} (${source}) does not answer: ${lastReason}`,
  });
  return { name, source: source ?? 'environment', latencyMs };
}
