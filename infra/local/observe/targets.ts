import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { appKinds } from '../processes/apps.ts';
import type { AppKind } from '../processes/apps.ts';
import { listRunFiles } from '../processes/run-files.ts';
import type { Household } from '../processes/paths.ts';
import { targetsFile } from './configs.ts';

/** One thing that Prometheus asks. */
export interface Target {
  job: string;
  /** Becomes its label `instance`. */
  name: string;
  port: number;
  labels?: Record<string, string>;
}

/** The processes of a running stack, as its run files tell: also those that died and are to come back. */
export function appTargets(instance: Household): Target[] {
  return listRunFiles(instance).flatMap(({ name, kind, port }) => {
    const job = appKinds.find((each) => isOf(each, name));
    return kind === 'app' && job !== undefined && port > 0 ? [{ job, name, port }] : [];
  });
}

function isOf(kind: AppKind, name: string): boolean {
  return name === kind || name.startsWith(`${kind}-`);
}

/** Writes the files that Prometheus reads the targets of each job from; those that have not changed, not. */
export class TargetFiles {
  private readonly written = new Map<string, string>();

  constructor(
    private readonly directory: string,
    private readonly jobs: string[],
  ) {}

  write(targets: Target[]): void {
    for (const job of this.jobs) {
      const groups = targets
        .filter((target) => target.job === job)
        .map(({ name, port, labels }) => ({
          targets: [`127.0.0.1:${port}`],
          labels: { instance: name, ...labels },
        }));
      const text = `${JSON.stringify(groups, null, 2)}\n`;
      if (this.written.get(job) !== text) {
        const file = join(this.directory, targetsFile(job));
        // Aside and renamed: Prometheus reads no half of a file.
        writeFileSync(`${file}.new`, text);
        renameSync(`${file}.new`, file);
        this.written.set(job, text);
      }
    }
  }
}
