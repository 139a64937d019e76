import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { instanceDir, rootDir } from '../processes/paths.ts';
import type { Instance, ServerName } from '../processes/paths.ts';
import type { Ports } from './ports.ts';
import { runOrThrow, runToEnd } from '../processes/process.ts';

const composeFile = join(rootDir, 'docker-compose.yml');
const answerTimeoutMs = 10_000;

/** Whether there is a Docker engine that answers. FIRSTCOME_SERVERS=local does without it. */
export async function dockerRuns(): Promise<boolean> {
  if (process.env['FIRSTCOME_SERVERS'] === 'local' || !existsSync(composeFile)) {
    return false;
  }
  const options = { timeoutMs: answerTimeoutMs };
  const engine = await runToEnd('docker', ['info', '--format', '{{.ServerVersion}}'], options);
  // A client without an engine prints an empty version, and some still exit with 0.
  if (engine.code !== 0 || !/^\d/.test(engine.output.trim())) {
    return false;
  }
  return (await runToEnd('docker', ['compose', 'version'], options)).code === 0;
}

/** Whether containers of this instance may hold data. */
export function dockerWasUsed(instance: Instance): boolean {
  return existsSync(markerFile(instance));
}

/** Starts containers of docker-compose.yml and waits until they are healthy. */
export async function dockerUp(
  instance: Instance,
  names: ServerName[],
  ports: Ports,
): Promise<void> {
  mkdirSync(instanceDir(instance), { recursive: true });
  writeFileSync(markerFile(instance), '');
  await compose(instance, ['up', '-d', '--wait', ...names], {
    // One set for a deployment in .env is not meant for these.
    FIRSTCOME_MYSQL_PASSWORD: '',
    FIRSTCOME_MYSQL_PORT: String(ports.mysql),
    FIRSTCOME_KAFKA_PORT: String(ports.kafka),
    FIRSTCOME_GATE_REDIS_PORT: String(ports['gate-redis']),
    FIRSTCOME_JOBS_REDIS_PORT: String(ports['jobs-redis']),
  });
}

/** Stops containers and keeps their data; with SIGKILL they get no chance to tidy up. */
export async function dockerStop(
  instance: Instance,
  names: ServerName[],
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<void> {
  const how = signal === 'SIGTERM' ? ['stop', '-t', '15'] : ['kill', '-s', signal];
  await compose(instance, [...how, ...names]);
}

/** Removes the containers of an instance and their data. */
export async function dockerDown(instance: Instance): Promise<void> {
  await compose(instance, ['down', '-v']);
}

function markerFile(instance: Instance): string {
  return join(instanceDir(instance), 'docker');
}

async function compose(
  instance: Instance,
  args: string[],
  env: Record<string, string> = {},
): Promise<void> {
  const project = ['compose', '-p', `firstcome-${instance}`, '-f', composeFile];
  await runOrThrow(`docker compose ${args[0]}`, 'docker', [...project, ...args], {
    cwd: rootDir,
    env: { ...process.env, ...env },
  });
}
