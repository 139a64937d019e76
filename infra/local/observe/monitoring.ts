import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { instanceDir } from '../processes/paths.ts';
import type { Household } from '../processes/paths.ts';
import { terminate } from '../processes/process.ts';
import { listRunFiles, removeRunFile } from '../processes/run-files.ts';
import { choosePort } from '../servers/ports.ts';
import type { Report } from '../terminal/progress.ts';
import { jobNames, localAlertmanagerConfig, localPrometheusConfig } from './configs.ts';
import type { Receivers } from './configs.ts';
import { planExporters } from './exporters.ts';
import type { ExporterPlan, Machine, Stores } from './exporters.ts';
import { Monitor } from './monitor.ts';
import * as programs from './programs.ts';
import { TargetFiles } from './targets.ts';
import type { Target } from './targets.ts';

const lookEveryMs = 500;

export interface MonitoringOptions {
  household: Household;
  stores: Stores;
  receivers: Receivers;
  /** The processes of the stack, as they are now. Asked again and again: they come and go. */
  apps: () => Target[];
  machine?: Machine;
}

/**
 * Prometheus, Alertmanager and exporters beside a running stack, on free ports of 127.0.0.1. Whoever
 * has the household (`takeInstance`) has one of them at a time.
 */
export class Monitoring {
  private readonly timer: NodeJS.Timeout;

  private constructor(
    readonly prometheus: Monitor,
    readonly alertmanager: Monitor,
    readonly exporters: Monitor[],
    writeTargets: () => void,
  ) {
    writeTargets();
    this.timer = setInterval(writeTargets, lookEveryMs);
  }

  /** Installs what is missing. Returns once all of them answer; leaves nothing running otherwise. */
  static async start(
    options: MonitoringOptions,
    report: Report,
    abort: AbortSignal,
  ): Promise<Monitoring> {
    const { household, apps } = options;
    await programs.ensureMonitoringPrograms(report);
    await stopMonitors(household);
    const directory = join(instanceDir(household), 'config');
    mkdirSync(join(directory, 'targets'), { recursive: true });
    const taken = new Set<number>();
    const exporters = await planExporters(options.stores, directory, taken, options.machine);
    const files = new TargetFiles(directory, jobNames());
    const monitoring = new Monitoring(
      new Monitor(await planPrometheus(household, directory, taken), household),
      new Monitor(
        await planAlertmanager(household, directory, taken, options.receivers),
        household,
      ),
      exporters.map((plan) => new Monitor(plan, household)),
      () => files.write([...apps(), ...exporters.map(targetOf)]),
    );
    writeFileSync(
      join(directory, 'prometheus.yml'),
      localPrometheusConfig(new URL(monitoring.alertmanager.url).host),
    );
    try {
      await report.step(monitoring.all.map(({ plan }) => plan.name).join(', '), () =>
        Promise.all(monitoring.all.map((monitor) => monitor.start(abort))),
      );
    } catch (error) {
      await monitoring.stop();
      throw error;
    }
    return monitoring;
  }

  get all(): Monitor[] {
    return [this.prometheus, this.alertmanager, ...this.exporters];
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.all.map((monitor) => monitor.stop()));
  }
}

/** Stops what one that was killed has left running. */
export async function stopMonitors(household: Household): Promise<string[]> {
  const left = listRunFiles(household).filter(({ kind }) => kind !== 'supervisor');
  await Promise.all(left.map(({ pid, startedAt }) => terminate(pid, startedAt)));
  left.forEach(({ name }) => removeRunFile(household, name));
  return left.map(({ name }) => name);
}

function targetOf({ job, port, labels }: ExporterPlan): Target {
  return { job, name: `127.0.0.1:${port}`, port, labels };
}

async function planPrometheus(
  household: Household,
  directory: string,
  taken: Set<number>,
): Promise<Monitor['plan']> {
  const port = await choosePort(9090, taken);
  return {
    name: 'prometheus',
    command: await programs.pathOf(programs.prometheus),
    port,
    args: [
      `--config.file=${join(directory, 'prometheus.yml')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      `--storage.tsdb.path=${freshDir(household, 'prometheus')}`,
      '--storage.tsdb.retention.time=6h',
      '--log.level=warn',
    ],
    readyPath: '/-/ready',
  };
}

async function planAlertmanager(
  household: Household,
  directory: string,
  taken: Set<number>,
  receivers: Receivers,
): Promise<Monitor['plan']> {
  const port = await choosePort(9093, taken);
  const config = join(directory, 'alertmanager.yml');
  writeFileSync(config, localAlertmanagerConfig(receivers), { mode: 0o600 });
  return {
    name: 'alertmanager',
    command: await programs.pathOf(programs.alertmanager),
    port,
    args: [
      `--config.file=${config}`,
      `--web.listen-address=127.0.0.1:${port}`,
      `--storage.path=${freshDir(household, 'alertmanager')}`,
      // One alone: it needs no second port to talk to others.
      '--cluster.listen-address=',
      '--log.level=warn',
    ],
    readyPath: '/-/ready',
  };
}

/** What another run has seen would be told again, of processes that are long gone. */
function freshDir(household: Household, name: string): string {
  const directory = join(instanceDir(household), name);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  return directory;
}
