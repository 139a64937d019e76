import { statementsDir, testInstance } from '../../../infra/local/processes/paths.ts';
import { createProgress } from '../../../infra/local/terminal/progress.ts';
import { startServers, stopServers } from '../../../infra/local/servers/servers.ts';

const urlVariables = ['GATE_REDIS_URL', 'JOBS_REDIS_URL', 'KAFKA_BROKERS', 'MYSQL_URL'];

/**
 * Makes sure that tests on real servers have them. `npm test` has started them already and says so
 * in the environment; for a plain `vitest --project integration` they are started here, and
 * stopped at its end. Each vitest project calls this: the second finds what the first one set.
 */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  process.env['STATEMENTS_DIR'] ??= statementsDir(testInstance);
  if (urlVariables.every((name) => process.env[name])) {
    return undefined;
  }
  const { env } = await startServers('test', createProgress());
  Object.assign(process.env, env);
  return () => stopServers('test');
}
