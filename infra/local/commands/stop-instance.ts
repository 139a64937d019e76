import { instanceOwner } from '../processes/instance-owner.ts';
import type { Instance } from '../processes/paths.ts';
import { terminate } from '../processes/process.ts';
import type { Report } from '../terminal/progress.ts';
import { isRunning, listRunFiles } from '../processes/run-files.ts';
import { stopLeftovers } from '../servers/servers.ts';

/** Long enough for a supervisor to stop its processes (12 s) and then the servers (15 s). */
const supervisorGraceMs = 60_000;

/**
 * Stops an instance: asks its supervisor to, and stops by itself whatever is left. Returns the
 * names of what ran.
 */
export async function stopInstance(instance: Instance, report: Report): Promise<string[]> {
  const names = listRunFiles(instance)
    .filter((run) => run.kind !== 'supervisor' && (run.source === 'docker' || isRunning(run)))
    .map((run) => run.name);
  const owner = instanceOwner(instance);
  if (owner !== undefined) {
    await report.step(`stopping ${instance}`, () =>
      terminate(owner.pid, owner.startedAt, { graceMs: supervisorGraceMs }),
    );
  }
  await stopLeftovers(instance, report);
  return owner === undefined || names.length > 0 ? names : [`pid ${owner.pid}`];
}
