import type { Fault } from '../fault.ts';
import { expected } from '../fault.ts';
import { MachineFigures } from '../machine-figures.ts';

function cpu(severity: 'warning' | 'critical', share: number): Fault {
  return {
    what: `the node exporter reads of ${share * 100} % CPU (put in)`,
    expects: [expected('HostCpuHigh', severity, 20)],
    inject: async ({ machine }) => {
      machine.cpuInUse = share;
      return async () => void (machine.cpuInUse = 0.1);
    },
  };
}

function memory(severity: 'warning' | 'critical', share: number): Fault {
  return {
    what: `the node exporter reads of ${share * 100} % memory (put in)`,
    expects: [expected('HostMemoryHigh', severity, 5)],
    inject: async ({ machine }) => {
      machine.memoryInUse = share;
      return async () => void (machine.memoryInUse = 0.3);
    },
  };
}

function disk(severity: 'warning' | 'critical', free: number): Fault {
  return {
    what: `a disk of 16 MiB is filled to ${Math.round((1 - free) * 100)} %`,
    expects: [expected('HostDiskFull', severity, 5)],
    problem: () => MachineFigures.diskProblem(),
    inject: async ({ machine }) => {
      machine.fillDisk(free);
      return async () => machine.emptyDisk();
    },
  };
}

export const machineFaults: Fault[] = [
  cpu('warning', 0.9),
  cpu('critical', 0.98),
  memory('warning', 0.9),
  memory('critical', 0.97),
  disk('warning', 0.1),
  disk('critical', 0.02),
];
