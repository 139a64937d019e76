import type { Config } from '#platform/config.ts';
import { loadConfig } from '#platform/config.ts';
import type { StoreName, Stores } from '#stores/stores.ts';
import { openStores } from '#stores/stores.ts';
import { CommandError } from './command-error.ts';

const connectTimeoutMs = 10_000;

/** Opens stores for one command and closes them; throws `CommandError` when one does not answer. */
export async function withStores<Names extends StoreName, T>(
  names: readonly Names[],
  work: (stores: Stores<Names>, config: Config) => Promise<T>,
): Promise<T> {
  const config = loadConfig();
  const { stores, ...opened } = openStores({ name: 'firstcome-cli', config }, names);
  try {
    await opened.connected(connectTimeoutMs).catch((error: unknown) => {
      throw new CommandError((error as Error).message);
    });
    return await work(stores, config);
  } finally {
    await opened.close();
  }
}
