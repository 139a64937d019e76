import 'reflect-metadata';
import { Command } from 'commander';
import { CouponError } from '#administration/coupon-error.ts';
import { renderEnvExample } from '#platform/env-example.ts';
import { CommandError } from './command-error.ts';
import { addCouponCommand } from './coupon.command.ts';
import { addDeadLettersCommand } from './dead-letters.command.ts';
import { addDoctorCommand } from './doctor.command.ts';
import { addMigrateCommand } from './migrate.command.ts';
import { addReconcileCommand } from './reconcile.command.ts';
import { addVerifyCommand } from './verify.command.ts';

const program = new Command('firstcome')
  .description('Manages and checks coupons. Settings come from the environment: .env.example')
  .showHelpAfterError();

addCouponCommand(program);
addDeadLettersCommand(program);
addVerifyCommand(program);
addDoctorCommand(program);
addReconcileCommand(program);
addMigrateCommand(program);
program
  .command('env-example')
  .description('print every setting with its meaning and default')
  .action(() => void process.stdout.write(renderEnvExample()));

try {
  await program.parseAsync();
} catch (error) {
  const expected = error instanceof CommandError || error instanceof CouponError;
  const text = expected ? (error as Error).message : ((error as Error).stack ?? String(error));
  process.stderr.write(`firstcome: ${text}\n`);
  process.exitCode = 1;
}
