import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from '../../../infra/local/processes/apps.ts';
import type { AlertStack } from '../alert-stack.ts';
import type { Expected, Fault } from '../fault.ts';
import { expected } from '../fault.ts';

/** What the rules on answers look back: nothing quick may be left in it. */
const lookBackMs = 17_000;
const restMs = 100;
/** Of all that is asked: more than the 1 % of a warning, less than the 5 % of a page. */
const few = 0.025;
const patient = { PUBLISH_TIMEOUT_MS: '30000', ASSIGN_WAIT_MAX_MS: '20000' };

/** People who ask an api whose way to Kafka is broken, beside those who ask the other one, or alone. */
interface Detour {
  what: string;
  expects: Expected[];
  env?: Record<string, string>;
  /** How many ask over the detour at a time: alone, or a few beside many. */
  clients: number;
  isAlone: boolean;
  breakIt: (stack: AlertStack) => void;
}

function overDetour({ what, expects, env, clients, isAlone, breakIt }: Detour): Fault {
  let api: App;
  return {
    what,
    expects,
    prepare: async (stack) => {
      api = await stack.startOneMore({ KAFKA_BROKERS: stack.broker.proxied, ...env });
      await stack.askOnce(api);
      if (isAlone) {
        stack.asked = undefined;
        await sleep(lookBackMs);
      }
    },
    inject: async (stack) => {
      breakIt(stack);
      const over = new AbortController();
      const before = stack.timesAsked;
      let asked = 0;
      const ask = async (): Promise<void> => {
        while (!over.signal.aborted) {
          if (isAlone || asked < few * (stack.timesAsked - before)) {
            asked += 1;
            await stack.askOnce(api);
          }
          await sleep(restMs);
        }
      };
      Array.from({ length: clients }, () => void ask());
      return async () => {
        over.abort();
        stack.broker.proxy.delayMs = 0;
        stack.broker.proxy.release();
        stack.asked = stack.stack.app('api');
        await stack.endOneMore(api);
      };
    },
  };
}

function slowLog(severity: 'warning' | 'critical', delayMs: number): Fault {
  return overDetour({
    what: `Kafka slowed: each way takes ${delayMs / 1_000} s more`,
    expects: [
      // The look back, the `for`, and the first answer.
      expected('ApiSlow', severity, 20 + (2 * delayMs) / 1_000),
      ...(severity === 'critical'
        ? [expected('ApiManySlow', 'critical' as const, 20 + (2 * delayMs) / 1_000)]
        : []),
    ],
    env: patient,
    clients: 6,
    isAlone: true,
    breakIt: ({ broker }) => void (broker.proxy.delayMs = delayMs),
  });
}

export const apiFaults: Fault[] = [
  slowLog('warning', 3_200),
  slowLog('critical', 6_000),
  overDetour({
    what: 'one api of two cannot reach Kafka, and few are asking it',
    expects: [expected('ApiErrors', 'warning', 20)],
    clients: 40,
    isAlone: false,
    breakIt: ({ broker }) => broker.proxy.hold(),
  }),
  overDetour({
    what: 'the way of one api of two to Kafka is slow, and few are asking it',
    expects: [expected('ApiManySlow', 'warning', 26)],
    env: patient,
    clients: 40,
    isAlone: false,
    breakIt: ({ broker }) => void (broker.proxy.delayMs = 3_200),
  }),
];
