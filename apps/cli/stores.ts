import type { Config } from '#platform/config/config.ts';
import { parseConfig } from '#platform/config/config.ts';
import { messageOf } from '#platform/text/error-message.ts';
import type { Probes } from '#platform/health/health-probes.ts';
import type { StoreName, Stores } from '#stores/stores.ts';
import { openStores } from '#stores/stores.ts';
import { CommandError } from './command-error.ts';
import { StoreAwayError } from './store-away.ts';

const connectTimeoutMs = 10_000;

/**
 * Opens stores for one command and closes them. Throws `StoreAwayError` when one does not answer, and
 * `CommandError` when MySQL has another schema than this version understands.
 */
export async function withStores<Names extends StoreName, T>(
  names: readonly Names[],
  work: (stores: Stores<Names>, config: Config) => Promise<T>,
): Promise<T> {
  const config = parseConfig();
  const { stores, probes, ...opened } = openStores({ name: 'firstcome-cli', config }, names);
  try {
    await opened.connected(connectTimeoutMs).catch(async (error: unknown) => {
      throw await explain(error, probes as Probes);
    });
    return await work(stores, config);
  } finally {
    await opened.close();
  }
}

async function explain(error: unknown, { schema, mysql }: Probes): Promise<Error> {
  const schemaProblem = await schema?.();
  if (schemaProblem !== undefined) {
    return new CommandError(schemaProblem);
  }
  const reason = (await mysql?.())?.replace(/^(MySQL is not reachable: )+/, '');
  const isMysql = reason !== undefined;
  return new StoreAwayError(
    isMysql ? `MySQL (MYSQL_URL) is not reachable: ${reason}` : messageOf(error),
  );
}
