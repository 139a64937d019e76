import type { Command } from 'commander';
import { createKafka } from '#event-log/kafka-client.ts';
import { createTopics } from '#event-log/topics.ts';
import { migrate } from '#ledger/migrate.ts';
import { loadConfig } from '#platform/config.ts';

export function addMigrateCommand(program: Command): void {
  program
    .command('migrate')
    .description('create the database, its tables and the topics, where they are missing')
    .action(async () => {
      const config = loadConfig();
      const applied = await migrate(config);
      await createTopics(createKafka(config, 'firstcome-cli'), config);
      process.stdout.write(
        applied.length === 0 ? 'The schema is up to date.\n' : `Applied: ${applied.join(', ')}\n`,
      );
    });
}
