import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const everyMs = 500;
const ticksPerSecond = 100;

/**
 * A /proc for the node exporter. Nobody may fill the memory of a machine that others use as well: CPU
 * and memory are what a test sets; the disk is a real one of 16 MiB.
 */
export class MachineFigures {
  /** Of all CPUs, from 0 to 1. */
  cpuInUse = 0.1;
  /** From 0 to 1. */
  memoryInUse = 0.3;
  cpus = 2;
  readonly procDir = mkdtempSync(join(tmpdir(), 'firstcome-proc-'));
  readonly disk = mkdtempSync(join(tmpdir(), 'firstcome-disk-'));
  private readonly ticks = { busy: 0, idle: 0 };
  private readonly timer: NodeJS.Timeout;
  private readonly hasDisk = MachineFigures.diskProblem() === undefined;

  constructor() {
    if (this.hasDisk) {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', this.disk]);
    }
    mkdirSync(join(this.procDir, '1'));
    const mounts = `tmpfs ${this.disk} tmpfs rw 0 0\n`;
    writeFileSync(join(this.procDir, '1', 'mounts'), mounts);
    writeFileSync(join(this.procDir, 'mounts'), mounts);
    writeFileSync(join(this.procDir, 'cpuinfo'), readFileSync('/proc/cpuinfo'));
    writeFileSync(join(this.procDir, 'loadavg'), '0.1 0.1 0.1 1/100 1\n');
    this.write();
    this.timer = setInterval(() => this.write(), everyMs);
  }

  /** Why it has no disk of its own, in words; `undefined` when it has. */
  static diskProblem(): string | undefined {
    return process.getuid?.() === 0 ? undefined : 'only root may mount a small disk';
  }

  /** Leaves so much free, from 0 to 1. */
  fillDisk(free: number): void {
    const { bsize, blocks } = statfsSync(this.disk);
    const bytes = Math.floor(bsize * blocks * (1 - free));
    writeFileSync(join(this.disk, 'ballast'), Buffer.alloc(bytes));
  }

  emptyDisk(): void {
    rmSync(join(this.disk, 'ballast'), { force: true });
  }

  remove(): void {
    clearInterval(this.timer);
    if (this.hasDisk) {
      execFileSync('umount', ['-l', this.disk]);
    }
    rmSync(this.procDir, { recursive: true, force: true });
    rmSync(this.disk, { recursive: true, force: true });
  }

  private write(): void {
    const passed = (everyMs / 1_000) * ticksPerSecond;
    this.ticks.busy += passed * this.cpuInUse;
    this.ticks.idle += passed * (1 - this.cpuInUse);
    const fields = `${Math.round(this.ticks.busy)} 0 0 ${Math.round(this.ticks.idle)} 0 0 0 0 0 0`;
    const lines = Array.from({ length: this.cpus }, (_, n) => `cpu${n} ${fields}`);
    writeFileSync(
      join(this.procDir, 'stat'),
      `cpu  ${fields}\n${lines.join('\n')}\nintr 1\nctxt 1\nbtime 1\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n`,
    );
    const kilobytes = 8_000_000;
    const available = Math.round(kilobytes * (1 - this.memoryInUse));
    writeFileSync(
      join(this.procDir, 'meminfo'),
      `MemTotal: ${kilobytes} kB\nMemFree: ${available} kB\nMemAvailable: ${available} kB\n`,
    );
  }
}
