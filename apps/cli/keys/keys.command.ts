import type { Command } from 'commander';
import type { Scope } from '#identity/api-key.ts';
import { newApiKey, scopes } from '#identity/api-key.ts';
import type { Replacement } from '#ledger/api-keys/api-key-ledger.ts';
import { asksForIdentity } from '#platform/config/identity-settings.ts';
import type { Config } from '#platform/config/config.ts';
import { CommandError } from '../command-error.ts';
import { withStores } from '../stores.ts';
import { print, printJson } from '../text.ts';
import { keyId, keyName, keyScopes, overlap } from './key-arguments.ts';
import type { NewKeyView } from './key-view.ts';
import { toKeyTable, toKeyView, toNewKeyText } from './key-view.ts';

interface OutputOptions {
  json?: true;
}

interface CreateOptions extends OutputOptions {
  name: string;
  scopes: Scope[];
  ifNone?: true;
}

interface RotateOptions extends OutputOptions {
  overlap: number;
}

const shownOnce =
  '\nThe key is printed once and kept nowhere: only its hash is in MySQL. An api knows of it within two seconds.';

export function addKeysCommand(program: Command): void {
  const keys = program
    .command('keys')
    .description('API keys of machines: make, list, rotate, revoke (identity: docs/operations.md)');

  keys
    .command('create')
    .description('make a key')
    .requiredOption('--name <text>', 'whose it is, for those who look later', keyName)
    .requiredOption('--scopes <list>', `what it may do: ${scopes.join(',')}`, keyScopes)
    .option('--if-none', 'only when there is no key and never was one')
    .option('--json', 'print JSON')
    .addHelpText('after', shownOnce)
    .action(create);

  keys
    .command('list')
    .description('all keys, oldest first; never the keys themselves')
    .option('--json', 'print JSON, with times in UTC')
    .action(list);

  keys
    .command('rotate')
    .description('make a key that takes over name and scopes of this one, which ends later')
    .argument('<key_id>', 'the key', keyId)
    .option(
      '--overlap <time>',
      'how long the old one works on: 0s, 30m, 24h, 7d',
      overlap,
      86_400_000,
    )
    .option('--json', 'print JSON')
    .addHelpText('after', `${shownOnce}\nThe overlap is 24h unless it is given.`)
    .action(rotate);

  keys
    .command('revoke')
    .description('end a key now, in every api within two seconds')
    .argument('<key_id>', 'the key', keyId)
    .option('--json', 'print JSON')
    .action(revoke);
}

async function create({ name, scopes: ofKey, ifNone, json }: CreateOptions): Promise<void> {
  const { id, hash, text } = newApiKey();
  const isCreated = await withStores(['ledger'], async ({ apiKeys }, config) => {
    const draft = { id, hash, name, scopes: ofKey };
    if (ifNone) {
      return apiKeys.createFirst(draft);
    }
    await apiKeys.create(draft);
    warnWhereNobodyAsks(config);
    return true;
  });
  if (isCreated) {
    showNew({ key_id: id, key: text }, json);
  } else if (json) {
    printJson(null);
  } else {
    print('there is a key, or was one: none was made\n');
  }
}

async function list({ json }: OutputOptions): Promise<void> {
  const views = await withStores(['ledger'], async ({ apiKeys }) =>
    (await apiKeys.list()).map(toKeyView),
  );
  if (json) {
    printJson(views);
  } else {
    print(toKeyTable(views));
  }
}

const notReplaced: Record<Exclude<Replacement, 'replaced'>, string> = {
  unknown: 'there is no such key',
  ended: 'it has ended already: make another with `keys create`',
  ending: 'it was rotated already; see `keys list`',
};

async function rotate(id: string, { overlap: overlapMs, json }: RotateOptions): Promise<void> {
  const { text, ...by } = newApiKey();
  const outcome = await withStores(['ledger'], ({ apiKeys }) => apiKeys.replace(id, by, overlapMs));
  if (outcome !== 'replaced') {
    throw new CommandError(`key ${id} was not rotated: ${notReplaced[outcome]}`);
  }
  showNew({ key_id: by.id, key: text }, json);
}

async function revoke(id: string, { json }: OutputOptions): Promise<void> {
  const view = await withStores(['ledger'], async ({ apiKeys }) => {
    await apiKeys.end(id);
    return (await apiKeys.list()).map(toKeyView).find((each) => each.key_id === id);
  });
  if (view === undefined) {
    throw new CommandError(`there is no key ${id}`);
  }
  if (json) {
    printJson(view);
  } else {
    print(`key ${id} has ended\n`);
  }
}

function showNew(view: NewKeyView, json: true | undefined): void {
  if (json) {
    printJson(view);
  } else {
    print(toNewKeyText(view));
  }
}

/** On stderr: whoever takes the key from stdout is not to take this for one. */
function warnWhereNobodyAsks(config: Config): void {
  if (!asksForIdentity(config)) {
    process.stderr.write('identity is off with these settings: no api asks for a key\n');
  }
}
