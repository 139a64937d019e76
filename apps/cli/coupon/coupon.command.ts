import type { Command } from 'commander';
import type { Coupon } from '#coupon/coupon.ts';
import { addArchiveCommands } from './coupon-archive.command.ts';
import type { CreateOptions, SetTimesOptions } from './coupon-changes.ts';
import {
  checkCreate,
  checkSetTimes,
  closeCoupon,
  createCoupon,
  setTimes,
} from './coupon-changes.ts';
import type { OutputOptions } from './coupon-options.ts';
import {
  chosenId,
  couponId,
  couponName,
  couponTotal,
  jsonOption,
  yesOption,
  zoneOption,
} from './coupon-options.ts';
import { administrationOf, see, withCouponStores } from './coupon-stores.ts';
import type { SeenCoupon } from './coupon-view.ts';
import { toCouponView, toTable } from './coupon-view.ts';
import { withStores } from '../stores.ts';
import { print, printJson } from '../text.ts';
import { timeArgument, timeArgumentOrNone } from '../times/time-argument.ts';

interface ListOptions extends OutputOptions {
  archived?: true;
}

const timesHelp = `
A time is like 2026-12-24T18:00:00+09:00, or 2026-12-24T09:00:00Z in UTC.`;

const validUntilMeaning =
  'what was issued cannot be redeemed from then on; it closes then, or before';

export function addCouponCommand(program: Command): void {
  const coupon = program.command('coupon').description('open, watch, change and close coupons');

  addCreate(coupon);
  withOutputOptions(coupon.command('list'))
    .description('the coupons, what is left of each, and what their times mean now')
    .option('--archived', 'the archived ones, too')
    .action((options: ListOptions) => list(options));

  addCommandOfOne(coupon, 'show', 'one coupon', 'find');
  addCommandOfOne(coupon, 'pause', 'admit nobody new for now', 'pause');
  addCommandOfOne(coupon, 'resume', 'admit again', 'resume');

  withOutputOptions(coupon.command('close'))
    .description('admit nobody new, for good; asks first')
    .argument('<id>', 'the coupon', couponId)
    .addOption(yesOption('do not ask'))
    .action((id: number, options: OutputOptions & { yes?: true }) =>
      run(options, (stores) => closeCoupon(stores, id, options)),
    );

  withOutputOptions(coupon.command('set-total'))
    .description('raise or lower how many there are, also while it is running')
    .argument('<id>', 'the coupon', couponId)
    .argument('<total>', 'the new total', couponTotal)
    .action((id: number, newTotal: number, options: OutputOptions) =>
      run(options, (stores) => administrationOf(stores).setTotal(id, newTotal)),
    );

  addSetTimes(coupon);
  withOutputOptions(coupon.command('rename'))
    .description('give it another name')
    .argument('<id>', 'the coupon', couponId)
    .argument('<name>', 'at most 100 characters, one line', couponName)
    .action((id: number, name: string, options: OutputOptions) =>
      run(options, (stores) => administrationOf(stores).rename(id, name)),
    );

  addArchiveCommands(coupon, run);
}

function addCreate(coupon: Command): void {
  withOutputOptions(coupon.command('create'))
    .description('create a coupon; returns when it can be assigned')
    .requiredOption('--total <units>', 'how many there are', couponTotal)
    .option('--id <id>', 'its id; the next above all there are when left out', chosenId)
    .option('--name <name>', 'at most 100 characters, one line', couponName)
    .option('--opens-at <time>', 'nobody is admitted before', timeArgument)
    .option('--closes-at <time>', 'nobody is admitted from then on', timeArgument)
    .option('--valid-until <time>', validUntilMeaning, timeArgument)
    .option('--if-absent', 'do nothing when there is such a coupon with these terms; needs --id')
    .addOption(yesOption('also with a --closes-at that has passed: it is closed from the start'))
    .addHelpText('after', timesHelp)
    .action((options: CreateOptions) => {
      checkCreate(options);
      return run(options, (stores, config) => createCoupon(stores, config, options));
    });
}

function addSetTimes(coupon: Command): void {
  withOutputOptions(coupon.command('set-times'))
    .description(
      'change when it opens and closes, and how long it is valid, also while it is running',
    )
    .argument('<id>', 'the coupon', couponId)
    .option('--opens-at <time>', 'nobody is admitted before; none: at once', timeArgumentOrNone)
    .option(
      '--closes-at <time>',
      'nobody is admitted from then on; none: never',
      timeArgumentOrNone,
    )
    .option('--valid-until <time>', `${validUntilMeaning}; none: for ever`, timeArgumentOrNone)
    .addOption(yesOption('do not ask, also when that ends the sale or begins one that had ended'))
    .addHelpText('after', timesHelp)
    .action((id: number, options: SetTimesOptions) => {
      checkSetTimes(options);
      return run(options, (stores) => setTimes(stores, id, options));
    });
}

function addCommandOfOne(
  parent: Command,
  name: string,
  description: string,
  method: 'find' | 'pause' | 'resume',
): void {
  withOutputOptions(parent.command(name))
    .description(description)
    .argument('<id>', 'the coupon', couponId)
    .action((id: number, options: OutputOptions) =>
      run(options, (stores) => administrationOf(stores)[method](id)),
    );
}

function withOutputOptions(command: Command): Command {
  return command.addOption(zoneOption()).addOption(jsonOption());
}

async function run(
  output: OutputOptions,
  work: (...opened: Parameters<Parameters<typeof withCouponStores>[0]>) => Promise<Coupon>,
): Promise<void> {
  const seen = await withCouponStores(async (stores, config) =>
    see(stores, await work(stores, config)),
  );
  show(output, seen);
}

async function list({ archived, ...output }: ListOptions): Promise<void> {
  const seen = await withStores(['gate', 'ledger'], async (stores) => {
    const coupons = await (archived ? stores.coupons.listAll() : stores.coupons.list());
    return Promise.all(coupons.map((coupon) => see(stores, coupon)));
  });
  if (output.json) {
    printJson(seen.map(toCouponView));
  } else {
    print(toTable(seen, output.zone));
  }
}

function show({ json, zone }: OutputOptions, seen: SeenCoupon): void {
  if (json) {
    printJson(toCouponView(seen));
  } else {
    print(toTable([seen], zone));
  }
}
