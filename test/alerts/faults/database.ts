import type { App } from '../../../infra/local/processes/apps.ts';
import { ask } from '../../../infra/harness/assign.ts';
import { TcpProxy } from '../../harness/servers/tcp-proxy.ts';
import { ControlGroup } from '../control-group.ts';
import type { Fault } from '../fault.ts';
import { expected } from '../fault.ts';
import { openConnections } from '../strangers.ts';

/** Strangers, each of whom can keep one CPU busy. */
const computing = 3;
/** More than the one that the machine is said to have: figures are never quite of the same moment. */
const cpusOfMysql = 1.2;
const poolSize = 40;
const slowedMs = 200;

function connections(severity: 'warning' | 'critical', left: number): Fault {
  return {
    what: `strangers leave ${left} of the connections of MySQL`,
    expects: [expected('DbConnectionsHigh', severity, 2)],
    inject: async (stack) => openConnections(stack, left),
  };
}

/** So slow a way that people who look at what they have got keep its connections in use. */
function pool(severity: 'warning' | 'critical', people: number): Fault {
  let proxy: TcpProxy;
  let api: App;
  return {
    what: `the way of an api to MySQL takes ${slowedMs} ms, and ${people} ask it, which has ${poolSize} connections`,
    expects: [expected('DbPoolHigh', severity, 10)],
    prepare: async (stack) => {
      proxy = await TcpProxy.before(stack.ledger.url);
      const url = proxy.through(stack.stack.env['MYSQL_URL']!);
      api = await stack.startOneMore({ MYSQL_URL: url, MYSQL_POOL_SIZE: String(poolSize) });
    },
    inject: async (stack) => {
      proxy.delayMs = slowedMs;
      const over = new AbortController();
      const look = async (): Promise<void> => {
        while (!over.signal.aborted) {
          await ask(api, '/api/v1/users/user-1/coupons').catch(() => undefined);
        }
      };
      Array.from({ length: people }, () => void look());
      return async () => {
        over.abort();
        await stack.endOneMore(api);
        await proxy.close();
      };
    },
  };
}

export const databaseFaults: Fault[] = [
  connections('warning', 3),
  connections('critical', 0),
  pool('warning', poolSize - 1),
  pool('critical', 2 * poolSize),
  {
    what: 'MySQL computes for a stranger, on a machine of one CPU',
    expects: [expected('DbCpuHigh', 'critical', 20)],
    inject: async (stack) => {
      stack.machine.cpus = 1;
      // Beside others who are at work it would get less, where it can be helped.
      const canBeGiven = ControlGroup.problem('cpu') === undefined;
      const group = canBeGiven ? new ControlGroup('cpu') : undefined;
      group?.take(stack.ledger.pid);
      group?.giveCpus(cpusOfMysql);
      const strangers = await Promise.all(
        Array.from({ length: computing }, () => stack.stranger()),
      );
      strangers.forEach((stranger) => {
        stranger.on('error', () => undefined);
        void stranger.query("SELECT BENCHMARK(4000000000, MD5('x'))").catch(() => undefined);
      });
      return async () => {
        const judge = await stack.stranger();
        for (const { threadId } of strangers) {
          await judge.query(`KILL ${threadId}`);
        }
        await judge.end();
        group?.remove();
        stack.machine.cpus = 2;
      };
    },
  },
];
