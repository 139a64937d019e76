import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { renderEnvExample } from '#platform/config/env-example.ts';
import { addCouponCommand } from './coupon/coupon.command.ts';
import { addDeadLettersCommand } from './dead-letters/dead-letters.command.ts';
import { addDoctorCommand } from './doctor.command.ts';
import { addKeysCommand } from './keys/keys.command.ts';
import { addMigrateCommand } from './migrate.command.ts';
import { addReconcileCommand } from './reconcile.command.ts';
import { addStatusCommands } from './status.command.ts';
import { addVerifyCommand } from './verify.command.ts';

/** Of the checkout, or of the build: each has its package.json here. */
const packageFile = new URL('../../package.json', import.meta.url);

const exitCodesHelp = `
Exit codes: 0 done, 1 refused or failed, 3 a promise does not hold, 64 called wrongly,
69 a store is away, 78 the configuration is wrong. With --json an error is JSON, too, on stderr.`;

/** The command line. Throws where commander would end the process, before it says what is wrong. */
export function createProgram(): Command {
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };
  const program = new Command('firstcome')
    .description('Manages and checks coupons. Settings come from the environment: .env.example')
    .version(version, '--version', 'print the version')
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .addHelpText('after', exitCodesHelp);

  addCouponCommand(program);
  addDeadLettersCommand(program);
  addKeysCommand(program);
  addStatusCommands(program);
  addVerifyCommand(program);
  addDoctorCommand(program);
  addReconcileCommand(program);
  addMigrateCommand(program);
  program
    .command('env-example')
    .description('print every setting with its meaning and default')
    .action(() => void process.stdout.write(renderEnvExample()));
  return program;
}
