import { topicNames } from '#event-log/topics.ts';
import { waitUntil } from '../../../infra/local/processes/waiting.ts';
import type { AlertStack } from '../alert-stack.ts';
import type { Fault } from '../fault.ts';
import { expected } from '../fault.ts';

async function writeGarbage({ stack }: AlertStack): Promise<void> {
  const producer = stack.space.kafka().producer();
  await producer.connect();
  const messages = [{ partition: 0, key: 'garbage', value: 'not JSON' }];
  await producer.send({ topic: topicNames(`${stack.name}.`).requested, messages });
  await producer.disconnect();
}

async function setOfRequests(
  { stack }: AlertStack,
  settings: Record<string, string>,
): Promise<void> {
  const admin = stack.space.kafka().admin();
  await admin.connect();
  const name = topicNames(`${stack.name}.`).requested;
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: 2, name }],
  });
  const before = resources[0]!.configEntries
    .filter(({ isDefault }) => !isDefault)
    .map(({ configName, configValue }) => [configName, configValue]);
  const all = { ...(Object.fromEntries(before) as Record<string, string>), ...settings };
  const configEntries = Object.entries(all).map(([key, value]) => ({ name: key, value }));
  await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name, configEntries }] });
  await admin.disconnect();
}

async function hasNoViolation({ stack }: AlertStack): Promise<true | undefined> {
  const metrics = await stack.app('keeper').metrics();
  return /^firstcome_invariant_violated\{.*\} 1$/m.test(metrics) ? undefined : true;
}

/** While nobody asks for anything: counts are compared at rest only. */
function countChanged(): Fault {
  let couponId: number;
  const change = async (stack: AlertStack, by: number): Promise<void> => {
    const stranger = await stack.stranger();
    await stranger.query('UPDATE coupon SET issued = issued + ? WHERE id = ?', [by, couponId]);
    await stranger.end();
  };
  return {
    what: 'somebody changes in MySQL by hand how many of a coupon are issued',
    // The audit that finds it comes every 15 s.
    expects: [expected('InvariantViolated', 'critical', 15)],
    prepare: async (stack) => {
      couponId = await stack.stack.createCoupon(100);
      stack.asked = undefined;
    },
    inject: async (stack) => {
      await change(stack, 1);
      return async () => {
        await change(stack, -1);
        // Nor is it found well again before that.
        await waitUntil(() => hasNoViolation(stack), {
          deadlineMs: 60_000,
          failure: () => 'no audit has come to an end',
        });
        stack.asked = stack.stack.app('api');
      };
    },
  };
}

export const issuanceFaults: Fault[] = [
  {
    what: 'MySQL slowed: a transaction of a stranger keeps the row of the coupon',
    expects: [expected('LagHigh', 'critical', 7), expected('NoProgress', 'critical', 12)],
    inject: async (alertStack) => {
      const stranger = await alertStack.stranger();
      await stranger.beginTransaction();
      const { couponId } = alertStack;
      await stranger.query('SELECT id FROM coupon WHERE id = ? FOR UPDATE', [couponId]);
      return () => stranger.end();
    },
  },
  {
    // Not min.insync.replicas: a broker asks for no more replicas than the topic has.
    what: 'the log takes no record: max.message.bytes of its topic is 100',
    expects: [expected('OldestPendingHigh', 'critical', 10)],
    inject: async (alertStack) => {
      await setOfRequests(alertStack, { 'max.message.bytes': '100' });
      return () => setOfRequests(alertStack, { 'max.message.bytes': '1048588' });
    },
  },
  {
    what: 'the topic of requests may delete them after a minute (retention.ms)',
    expects: [expected('PromiseVoid', 'critical', 17)],
    inject: async (alertStack) => {
      const needed = String(
        Number(alertStack.stack.env['KAFKA_RETENTION_HOURS'] ?? 168) * 3_600_000,
      );
      await setOfRequests(alertStack, { 'retention.ms': '60000' });
      return () => setOfRequests(alertStack, { 'retention.ms': needed });
    },
  },
  {
    what: 'a stranger writes to the topic of requests',
    expects: [expected('DeadLetters', 'warning', 5)],
    inject: async (alertStack) => {
      await writeGarbage(alertStack);
      return async () => {
        const reason = ['--all-open', '--reason', 'written by a test'];
        await alertStack.stack.firstcomeOrThrow('dead-letters', 'discard', ...reason);
      };
    },
  },
  countChanged(),
  {
    what: 'a stranger has locked the table of dead letters',
    // The look at it comes every 5 s, gives up after MYSQL_QUERY_TIMEOUT_MS, and fails for 10 s.
    expects: [expected('FigureMissing', 'warning', 15)],
    inject: async (alertStack) => {
      const stranger = await alertStack.stranger();
      await stranger.query('LOCK TABLES dead_letter WRITE');
      return () => stranger.end();
    },
  },
  {
    what: 'the gate is emptied, and a stranger holds the lock of its recovery',
    expects: [expected('GateShut', 'critical', 5)],
    inject: async (alertStack) => {
      const stranger = await alertStack.stranger();
      await stranger.query("SELECT GET_LOCK(CONCAT(LEFT(DATABASE(), 40), '.', 'recovery'), 10)");
      await alertStack.stack.space.emptyGate();
      return () => stranger.end();
    },
  },
];
