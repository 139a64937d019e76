import type { AppKind } from '../../../infra/local/processes/apps.ts';
import { appKinds } from '../../../infra/local/processes/apps.ts';
import type { StackOptions } from '../../../infra/harness/stack.ts';
import { Stack } from '../../../infra/harness/stack.ts';
import { environmentSchema } from '#platform/config/config.ts';

const shipped = environmentSchema.parse({});
/** A disk that stalls for seconds is no failure where nothing is meant to break. */
export const patientTimeouts = {
  GATE_TIMEOUT_MS: '10000',
  PUBLISH_TIMEOUT_MS: '20000',
  ASSIGN_WAIT_MAX_MS: '10000',
};
/** For tests of what happens when Kafka is away: Redis is not, and who waits for a trip has one. */
export const timeoutsBesideKafka = { GATE_TIMEOUT_MS: '10000', ASSIGN_WAIT_MAX_MS: '4000' };
/** For tests of what happens when a store is away: as firstcome comes. */
export const shippedTimeouts = {
  GATE_TIMEOUT_MS: String(shipped.GATE_TIMEOUT_MS),
  PUBLISH_TIMEOUT_MS: String(shipped.PUBLISH_TIMEOUT_MS),
  ASSIGN_WAIT_MAX_MS: String(shipped.ASSIGN_WAIT_MAX_MS),
};

/** A stack on the servers of the tests; `env` is added to the settings of all its processes. */
export async function startStack(
  kinds: readonly AppKind[] = appKinds,
  env: Record<string, string> = {},
): Promise<Stack> {
  const stack = new Stack(optionsWith(env));
  try {
    await stack.start(kinds);
  } catch (error) {
    // Whoever called has no stack to stop.
    await stack.stop();
    throw error;
  }
  return stack;
}

/** The same, with no process started yet. */
export function prepareStack(env: Record<string, string> = {}): Promise<Stack> {
  return startStack([], env);
}

function optionsWith(env: Record<string, string>): StackOptions {
  const urls = ['GATE_REDIS_URL', 'JOBS_REDIS_URL', 'KAFKA_BROKERS', 'MYSQL_URL'];
  const servers = Object.fromEntries(urls.map((name) => [name, serverUrl(name)]));
  const oneBroker = {
    KAFKA_REPLICATION_FACTOR: '1',
    KAFKA_MIN_INSYNC_REPLICAS: '1',
    KAFKA_PARTITIONS: '2',
  };
  return { servers, env: { ...oneBroker, ...patientTimeouts, ...env } };
}

function serverUrl(name: string): string {
  const url = process.env[name];
  if (url === undefined) {
    throw new Error(`${name} is not set: test/harness/servers/servers.setup.ts sets it`);
  }
  return url;
}
