import type { Fault } from '../fault.ts';
import { expected } from '../fault.ts';

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
  {
    what: 'MySQL computes for a stranger, on a machine of one CPU',
    expects: [expected('DbCpuHigh', 'critical', 20)],
    inject: async (alertStack) => {
      alertStack.machine.cpus = 1;
      const strangers = await Promise.all([1, 2, 3].map(() => alertStack.stranger()));
      strangers.forEach((stranger) => {
        stranger.on('error', () => undefined);
        void stranger.query("SELECT BENCHMARK(4000000000, MD5('x'))").catch(() => undefined);
      });
      return async () => {
        const judge = await alertStack.stranger();
        for (const { threadId } of strangers) {
          await judge.query(`KILL ${threadId}`);
        }
        await judge.end();
        alertStack.machine.cpus = 2;
      };
    },
  },
];
