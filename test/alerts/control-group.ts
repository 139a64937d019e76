import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Of version 1, where each has a tree of its own. */
type Controller = 'cpu' | 'memory';

const mounts = '/sys/fs/cgroup';
/** Others have 1 024 each. */
const sharesOfMany = 20_480;

/**
 * A cgroup below the one of this process, for a process whose limits are to be lower than those of the
 * machine. Only root may make one.
 */
export class ControlGroup {
  private readonly directory: string;

  constructor(controller: Controller) {
    this.directory = join(ownGroup(controller)!, `firstcome-alerts-${process.pid}`);
    mkdirSync(this.directory);
  }

  /** Why this machine has none for us, in words; `undefined` when it has. */
  static problem(controller: Controller): string | undefined {
    if (process.getuid?.() !== 0) {
      return 'only root may make a cgroup';
    }
    return ownGroup(controller) === undefined
      ? `this machine has no cgroups of version 1 for ${controller}`
      : undefined;
  }

  take(pid: number): void {
    writeFileSync(join(this.directory, 'cgroup.procs'), String(pid));
  }

  /** So many and no more, whatever else the machine has to do. */
  giveCpus(cpus: number): void {
    const period = Number(readFileSync(join(this.directory, 'cpu.cfs_period_us'), 'utf8'));
    writeFileSync(join(this.directory, 'cpu.cfs_quota_us'), String(Math.round(cpus * period)));
    writeFileSync(join(this.directory, 'cpu.shares'), String(sharesOfMany));
  }

  limitMemory(bytes: number): void {
    writeFileSync(join(this.directory, 'memory.limit_in_bytes'), String(Math.floor(bytes)));
  }

  /** Its processes go on without it. */
  remove(): void {
    const left = readFileSync(join(this.directory, 'cgroup.procs'), 'utf8').split('\n');
    for (const pid of left.filter((line) => line !== '')) {
      writeFileSync(join(dirname(this.directory), 'cgroup.procs'), pid);
    }
    rmdirSync(this.directory);
  }
}

function ownGroup(controller: Controller): string | undefined {
  for (const line of readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n')) {
    const [, controllers = '', ...path] = line.split(':');
    if (controllers.split(',').includes(controller)) {
      return join(mounts, controller, path.join(':'));
    }
  }
  return undefined;
}
