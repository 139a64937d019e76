import { canInstall, ensurePrograms, findProgram, programsMissing } from '../servers/install.ts';
import type { Program } from '../servers/install.ts';
import type { Report } from '../terminal/progress.ts';
import { ReadableError } from '../terminal/readable-error.ts';

export const prometheus: Program = {
  binaries: ['prometheus'],
  apt: ['prometheus'],
  brew: 'prometheus',
};
export const alertmanager: Program = {
  binaries: ['prometheus-alertmanager', 'alertmanager'],
  apt: ['prometheus-alertmanager'],
  brew: 'alertmanager',
};
export const redisExporter: Program = {
  binaries: ['prometheus-redis-exporter', 'redis_exporter'],
  apt: ['prometheus-redis-exporter'],
  brew: 'redis_exporter',
};
export const mysqlExporter: Program = {
  binaries: ['prometheus-mysqld-exporter', 'mysqld_exporter'],
  apt: ['prometheus-mysqld-exporter'],
  brew: 'mysqld_exporter',
};
export const nodeExporter: Program = {
  binaries: ['prometheus-node-exporter', 'node_exporter'],
  apt: ['prometheus-node-exporter'],
  brew: 'node_exporter',
};
export const processExporter: Program = {
  binaries: ['prometheus-process-exporter', 'process-exporter'],
  apt: ['prometheus-process-exporter'],
  brew: 'process-exporter',
};

const needed = [prometheus, alertmanager];
const exporters = [redisExporter, mysqlExporter, nodeExporter, processExporter];
const byHand = 'Install them: HOW';

/**
 * Makes sure that Prometheus and Alertmanager are there, with the exporters where they can be
 * installed: without one, its figures are missing, and `report` is told so.
 */
export async function ensureMonitoringPrograms(report: Report): Promise<void> {
  await ensurePrograms(needed, report, byHand);
  if (canInstall()) {
    // What cannot be had is told of below.
    await ensurePrograms(exporters, report).catch(() => undefined);
  }
  const missing = await programsMissing(exporters);
  for (const { binaries } of missing) {
    report.line(
      `${binaries[0]} is not on this machine: its figures, and alerts on them, are missing.`,
    );
  }
}

/** Of one that was there a moment ago. */
export async function pathOf(program: Program): Promise<string> {
  const path = await findProgram(program);
  if (path === undefined) {
    throw new ReadableError(`${program.binaries[0]} is not on this machine any more.`);
  }
  return path;
}
