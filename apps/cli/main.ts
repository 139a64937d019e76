import 'reflect-metadata';
import { Command } from 'commander';
import { CampaignError } from '#campaign/campaign-error.js';
import { renderEnvExample } from '#platform/env-example.js';
import { CommandError } from './command-error.js';
import { addCouponCommand } from './coupon.command.js';
import { addDeadLettersCommand } from './dead-letters.command.js';
import { addMigrateCommand } from './migrate.command.js';
import { addReconcileCommand } from './reconcile.command.js';
import { addVerifyCommand } from './verify.command.js';

const program = new Command('firstcome')
  .description('Runs and checks coupon campaigns. Settings come from the environment: .env.example')
  .showHelpAfterError();

addCouponCommand(program);
addDeadLettersCommand(program);
addVerifyCommand(program);
addReconcileCommand(program);
addMigrateCommand(program);
program
  .command('env-example')
  .description('print every setting with its meaning and default')
  .action(() => void process.stdout.write(renderEnvExample()));

try {
  await program.parseAsync();
} catch (error) {
  const expected = error instanceof CommandError || error instanceof CampaignError;
  const text = expected ? (error as Error).message : ((error as Error).stack ?? String(error));
  process.stderr.write(`firstcome: ${text}\n`);
  process.exitCode = 1;
}
