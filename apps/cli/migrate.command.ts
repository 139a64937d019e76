import type { Command } from 'commander';
import { createTopics } from '#event-log/topics.ts';
import { migrate } from '#ledger/schema/migrate.ts';
import { withStores } from './stores.ts';
import { print } from './text.ts';

export function addMigrateCommand(program: Command): void {
  program
    .command('migrate')
    .description('create the database, its tables and the topics, where they are missing')
    .action(async () => {
      const applied = await withStores(['log'], async ({ kafka }, config) => {
        const migrations = await migrate(config);
        await createTopics(kafka, config);
        return migrations;
      });
      print(
        applied.length === 0 ? 'The schema is up to date.\n' : `Applied: ${applied.join(', ')}\n`,
      );
    });
}
