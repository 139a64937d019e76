import type { Command } from 'commander';
import { CouponAdministration } from '#administration/coupon-administration.ts';
import type { Coupon } from '#coupon/coupon.ts';
import { couponIdMax, couponTotalMax } from '#coupon/coupon.ts';
import { partitionCount } from '#event-log/inspect/log-admin.ts';
import { topicNames } from '#event-log/topics.ts';
import type { Config } from '#platform/config.ts';
import type { Stores } from '#stores/stores.ts';
import { isoTime, wholeNumber } from './arguments.ts';
import { CommandError } from './command-error.ts';
import { addArchiveCommands } from './coupon-archive.command.ts';
import type { CouponView } from './coupon-view.ts';
import { toCouponView, toTable } from './coupon-view.ts';
import { withStores } from './stores.ts';
import { toJson } from './text.ts';

type CouponStores = Stores<'gate' | 'ledger' | 'log'>;

const couponId = wholeNumber(1, couponIdMax);
const total = wholeNumber(1, couponTotalMax);

interface CreateOptions {
  id?: number;
  name?: string;
  total: number;
  opensAt?: number;
  closesAt?: number;
  ifAbsent?: true;
  json?: true;
}

interface OutputOptions {
  json?: true;
}

interface ListOptions extends OutputOptions {
  archived?: true;
}

export function addCouponCommand(program: Command): void {
  const coupon = program.command('coupon').description('open, watch, change and close coupons');

  coupon
    .command('create')
    .description('create a coupon; returns when it can be assigned')
    .requiredOption('--total <units>', 'how many there are', total)
    .option('--id <id>', 'its id; the next free one when left out', couponId)
    .option('--name <name>', 'at most 100 characters')
    .option('--opens-at <time>', 'nobody is admitted before, ISO 8601', isoTime)
    .option('--closes-at <time>', 'nobody is admitted from then on, ISO 8601', isoTime)
    .option('--if-absent', 'do nothing when the id exists already')
    .option('--json', 'print JSON')
    .action((options: CreateOptions) =>
      run(options, (stores, config) => create(stores, config, options)),
    );

  coupon
    .command('list')
    .description('all coupons, and what is left of each')
    .option('--archived', 'the archived ones, too')
    .option('--json', 'print JSON')
    .action((options: ListOptions) => list(options));

  addCommandOfOne(coupon, 'show', 'one coupon', 'find');
  addCommandOfOne(coupon, 'pause', 'admit nobody new for now', 'pause');
  addCommandOfOne(coupon, 'resume', 'admit again', 'resume');
  addCommandOfOne(coupon, 'close', 'admit nobody new, for good', 'close');
  addArchiveCommands(coupon, run);

  coupon
    .command('set-total')
    .description('raise or lower how many there are, also while it is running')
    .argument('<id>', 'the coupon', couponId)
    .argument('<total>', 'the new total', total)
    .option('--json', 'print JSON')
    .action((id: number, newTotal: number, options: OutputOptions) =>
      run(options, (stores) => administrationOf(stores).setTotal(id, newTotal)),
    );
}

function addCommandOfOne(
  parent: Command,
  name: string,
  description: string,
  method: 'find' | 'pause' | 'resume' | 'close',
): void {
  parent
    .command(name)
    .description(description)
    .argument('<id>', 'the coupon', couponId)
    .option('--json', 'print JSON')
    .action((id: number, options: OutputOptions) =>
      run(options, (stores) => administrationOf(stores)[method](id)),
    );
}

async function run(
  { json }: OutputOptions,
  work: (stores: CouponStores, config: Config) => Promise<Coupon>,
): Promise<void> {
  const view = await withStores(['gate', 'ledger', 'log'], async (stores, config) =>
    viewOf(stores, await work(stores, config)),
  );
  process.stdout.write(json ? toJson(view) : toTable([view]));
}

async function list({ json, archived }: ListOptions): Promise<void> {
  const views = await withStores(['gate', 'ledger'], async (stores) => {
    const coupons = await (archived ? stores.coupons.listAll() : stores.coupons.list());
    return Promise.all(coupons.map((coupon) => viewOf(stores, coupon)));
  });
  process.stdout.write(json ? toJson(views) : toTable(views));
}

async function create(
  stores: CouponStores,
  config: Config,
  options: CreateOptions,
): Promise<Coupon> {
  const { id, opensAt = null, closesAt = null } = options;
  if (options.ifAbsent && id === undefined) {
    throw new CommandError('--if-absent needs --id');
  }
  if (opensAt !== null && closesAt !== null && closesAt <= opensAt) {
    throw new CommandError('--closes-at must be later than --opens-at');
  }
  const name = options.name ?? `coupon ${id ?? ''}`.trim();
  if (name.length > 100) {
    throw new CommandError('--name may have at most 100 characters');
  }
  if (options.ifAbsent && id !== undefined) {
    const existing = await stores.coupons.find(id);
    if (existing !== null) {
      return existing;
    }
  }
  const draft = { name, total: options.total, opensAt, closesAt };
  return administrationOf(stores).create(
    id === undefined ? draft : { ...draft, id },
    await partitionCount(stores.admin, topicNames(config.KAFKA_TOPIC_PREFIX).requested),
  );
}

function administrationOf({ coupons, gate }: CouponStores): CouponAdministration {
  return new CouponAdministration(coupons, gate);
}

async function viewOf({ gate }: Stores<'gate'>, coupon: Coupon): Promise<CouponView> {
  return toCouponView(coupon, await gate.inspect(coupon.id));
}
