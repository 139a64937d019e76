import { dataDir, logFile, runDir } from '../processes/paths.ts';
import type { Instance, ServerName } from '../processes/paths.ts';
import { isPortFree } from './ports.ts';
import type { Ports } from './ports.ts';
import { processStartTime, spawnDetached, tail, terminate } from '../processes/process.ts';
import { waitUntil } from '../processes/waiting.ts';
import type { Report } from '../terminal/progress.ts';
import { messageOf } from '#platform/text/error-message.ts';
import { ReadableError } from '../terminal/readable-error.ts';
import { isRunning, removeRunFile, writeRunFile } from '../processes/run-files.ts';
import type { RunFile } from '../processes/run-files.ts';
import type { Place, ServerKind } from './server-kind.ts';

/** InnoDB and Kafka may have a lot to recover after a crash, on a machine that is busy. */
const startDeadlineMs = 120_000;

/** Another program got hold of a port between our look at it and the server's start. */
export class PortTakenError extends ReadableError {}

/**
 * Starts a server as a process of this machine and returns once it answers. A stranger on its port
 * is never taken for it: the port must be free before, the process alive, and the answer its own.
 * Throws a PortTakenError when that is why it cannot start.
 */
export async function runLocally(
  instance: Instance,
  name: ServerName,
  kind: ServerKind,
  ports: Ports,
  report: Report,
  abort?: AbortSignal,
): Promise<void> {
  const place = placeOf(instance, name, ports);
  await kind.prepare(place, report);
  if (!(await isPortFree(place.port))) {
    throw new PortTakenError(`${name} cannot start: another program took port ${place.port}.`);
  }
  const { command, args, source } = await kind.launch(place);
  abort?.throwIfAborted();
  const { pid } = await spawnDetached(command, args, place.logFile);
  const run: RunFile = {
    name,
    kind: 'server',
    pid,
    startedAt: processStartTime(pid) ?? '',
    port: place.port,
    command: [command, ...args],
    source,
  };
  writeRunFile(instance, run);
  try {
    await waitForAnswer(kind, place, run, abort);
  } catch (error) {
    await terminate(pid, run.startedAt);
    removeRunFile(instance, name);
    throw error;
  }
}

function placeOf(instance: Instance, name: ServerName, ports: Ports): Place {
  return {
    dataDir: dataDir(instance, name),
    runDir: runDir(instance),
    logFile: logFile(instance, name),
    ports,
    port: ports[name],
  };
}

async function waitForAnswer(
  kind: ServerKind,
  place: Place,
  run: RunFile,
  abort?: AbortSignal,
): Promise<void> {
  let lastReason = 'no answer';
  const ask = async (): Promise<true | undefined> => {
    abort?.throwIfAborted();
    if (!isRunning(run)) {
      const message = `${run.name} ended right away. ${tail(place.logFile)}`;
      throw (await isPortFree(place.port))
        ? new ReadableError(message)
        : new PortTakenError(message);
    }
    try {
      const pong = await kind.ping(kind.url(place.port));
      lastReason = 'another server answers on its port';
      return pong.identity === kind.identity(place, run.pid) ? true : undefined;
    } catch (error) {
      lastReason = messageOf(error);
      return undefined;
    }
  };
  await waitUntil(ask, {
    deadlineMs: startDeadlineMs,
    failure: () =>
      `${run.name} does not answer on port ${run.port} after ${startDeadlineMs / 1_000} s ` +
      `(${lastReason}). ${tail(place.logFile)}`,
  });
}
