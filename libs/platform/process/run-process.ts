import 'reflect-metadata';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/config.ts';
import { Failures } from '../failures/failures.ts';
import { armFaultPoint } from './fault-point.ts';
import type { HealthProbes } from '../health/health-probes.ts';
import { HealthWatch } from '../health/health-watch.ts';
import { startInternalServer } from './internal-server.ts';
import type { Logger } from '../logging/logging.ts';
import { createLogger } from '../logging/logging.ts';
import { Telemetry } from '../telemetry/telemetry.ts';
import { Traces } from '../telemetry/tracing.ts';

export interface ProcessContext {
  name: string;
  config: Config;
  logger: Logger;
  telemetry: Telemetry;
  failures: Failures;
  traces: Traces;
  /** Ends the process with exit code 1, for whoever supervises it to start it anew. */
  fail: (reason: string, error?: unknown) => void;
}

export interface RunningProcess {
  probes: HealthProbes;
  /** What it does first, not ready any more: it goes on with its work until others have noticed. */
  drain?(): Promise<void>;
  /** Stops taking work, finishes what is under way, and closes what is open. */
  close(): Promise<void>;
}

/** Once it is drained. Longer than an assign takes, and than the issuer takes to finish its batches. */
export const shutdownTimeoutMs = 9_500;

/**
 * Runs one process of firstcome: configuration, logger, metrics, the internal port, and a clean end on
 * SIGTERM or SIGINT (exit 0, in under 10 s after it has drained).
 */
export async function runProcess(
  name: string,
  start: (context: ProcessContext) => Promise<RunningProcess>,
): Promise<void> {
  process.title = name;
  const config = loadConfig();
  const logger = createLogger(name, config);
  const telemetry = new Telemetry(name, config.METRICS === 'on');
  const failures = new Failures(logger, telemetry);
  armFaultPoint(config.FAULT_POINT, config.FAULT_SIGNAL);
  const fail = (reason: string, error?: unknown): void => {
    logger.fatal({ err: error }, reason);
    process.exit(1);
  };
  process.on('uncaughtException', (error) => fail('uncaught exception', error));

  try {
    const traces = await Traces.open(name, config, logger);
    const running = await start({ name, config, logger, telemetry, failures, traces, fail });
    const internalServer = await startInternalServer(config, telemetry, running.probes);
    const watch = new HealthWatch(running.probes, logger, telemetry);
    watch.start();
    logger.info({ internal_url: await internalServer.getUrl() }, `${name} started`);
    onceAskedToStop(async (signal) => {
      logger.info({ signal }, 'shutting down');
      running.probes.beginShutdown();
      await running.drain?.();
      setTimeout(() => fail('shutdown took too long'), shutdownTimeoutMs).unref();
      const watched = watch.stop();
      await watched;
      await running.close();
      await internalServer.close();
      failures.close();
      await traces.close();
      await telemetry.close();
      logger.info('stopped');
      process.exit(0);
    }, fail);
  } catch (error) {
    fail(`${name} could not start: ${(error as Error).message}`, error);
  }
}

function onceAskedToStop(
  stop: (signal: NodeJS.Signals) => Promise<void>,
  fail: ProcessContext['fail'],
): void {
  let stopping = false;
  const handle = (signal: NodeJS.Signals): void => {
    if (!stopping) {
      stopping = true;
      stop(signal).catch((error: unknown) => fail('shutdown failed', error));
    }
  };
  process.on('SIGTERM', handle);
  process.on('SIGINT', handle);
}
