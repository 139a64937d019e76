import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from '../../../infra/local/processes/apps.ts';
import type { AlertStack } from '../alert-stack.ts';
import { ControlGroup } from '../control-group.ts';
import type { Fault } from '../fault.ts';
import { expected } from '../fault.ts';

/** Little, so that the people of a test can ask for all of it. */
const cpus = 0.05;
const clients = 20;
const ticksPerSecond = 100;
/** A share of less than the limit is kept over times of this length. */
const evenOverMs = 1_000;
/** How old the limits may be that a process knows. */
const limitsAgainSeconds = 5;
/** For how long a share must be too high. */
const lastsSeconds = 10;

/** An api that is in a cgroup of its own; the fault is what is done to it there. */
function limited(
  controller: 'cpu' | 'memory',
  fault: Pick<Fault, 'what' | 'expects'>,
  begin: (stack: AlertStack, api: App, group: ControlGroup, over: AbortSignal) => Promise<void>,
): Fault {
  let api: App;
  let group: ControlGroup;
  return {
    ...fault,
    problem: () => ControlGroup.problem(controller),
    prepare: async (stack) => {
      api = await stack.startOneMore({});
      group = new ControlGroup(controller);
      group.take(api.pid);
      await stack.askOnce(api);
    },
    inject: async (stack) => {
      const over = new AbortController();
      const ended = begin(stack, api, group, over.signal);
      return async () => {
        over.abort();
        await ended;
        await stack.endOneMore(api);
        group.remove();
      };
    },
  };
}

function cpu(severity: 'warning' | 'critical', share: number): Fault {
  const windowSeconds = limitsAgainSeconds + lastsSeconds;
  const fault = {
    what: `an api that may have ${cpus} CPUs is asked for ${share * 100} % of them`,
    expects: [expected('ProcessCpuHigh', severity, windowSeconds)],
  };
  return limited('cpu', fault, (stack, api, group, over) => {
    group.giveCpus(cpus);
    return keepBusy(stack, api, share, over);
  });
}

/** Asks it just so much that it takes this share of the CPU that it may have. */
async function keepBusy(
  stack: AlertStack,
  api: App,
  share: number,
  over: AbortSignal,
): Promise<void> {
  let before = { atMs: performance.now(), seconds: cpuSecondsOf(api) };
  while (!over.aborted) {
    const passedMs = performance.now() - before.atMs;
    const due = (share * cpus * passedMs) / 1_000;
    if (share === 1 || cpuSecondsOf(api) - before.seconds < due) {
      await Promise.all(Array.from({ length: clients }, () => stack.askOnce(api)));
    } else {
      await sleep(10);
    }
    if (passedMs > evenOverMs) {
      before = { atMs: performance.now(), seconds: cpuSecondsOf(api) };
    }
  }
}

function cpuSecondsOf({ pid }: App): number {
  // The second word is its name, in brackets, and may have blanks.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

function memory(severity: 'warning' | 'critical', share: number): Fault {
  const windowSeconds = limitsAgainSeconds + lastsSeconds;
  const fault = {
    what: `the memory that an api may have is lowered until it has ${share * 100} % of it`,
    expects: [expected('ProcessMemoryHigh', severity, windowSeconds)],
  };
  return limited('memory', fault, async (_, api, group) =>
    group.limitMemory(residentBytes(api) / share),
  );
}

function residentBytes({ pid }: App): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return Number(kilobytes) * 1_024;
}

export const limitFaults: Fault[] = [
  cpu('warning', 0.88),
  cpu('critical', 1),
  memory('warning', 0.9),
  memory('critical', 0.98),
];
