import type { Command } from 'commander';
import { Campaigns } from '#campaign/campaigns.js';
import type { Coupon } from '#coupon/coupon.js';
import { couponIdMax, couponTotalMax } from '#coupon/coupon.js';
import { LogAdmin, partitionCount } from '#event-log/consumer-lag.js';
import { topicNames } from '#event-log/topics.js';
import { CouponLedger } from '#ledger/coupon-ledger.js';
import { loadConfig } from '#platform/config.js';
import { isoTime, wholeNumber } from './arguments.js';
import { CommandError } from './command-error.js';
import type { CouponView } from './coupon-view.js';
import { toCouponView, toTable } from './coupon-view.js';
import type { Stores } from './stores.js';
import { withStores } from './stores.js';

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

export function addCouponCommand(program: Command): void {
  const coupon = program.command('coupon').description('open, watch, change and close campaigns');

  coupon
    .command('create')
    .description('create a campaign; returns when it can be assigned')
    .requiredOption('--total <units>', 'how many there are', total)
    .option('--id <id>', 'its id; the next free one when left out', couponId)
    .option('--name <name>', 'at most 100 characters')
    .option('--opens-at <time>', 'nobody is admitted before, ISO 8601', isoTime)
    .option('--closes-at <time>', 'nobody is admitted from then on, ISO 8601', isoTime)
    .option('--if-absent', 'do nothing when the id exists already')
    .option('--json', 'print JSON')
    .action((options: CreateOptions) => run(options, (stores) => create(stores, options)));

  coupon
    .command('list')
    .description('all campaigns, and what is left of each')
    .option('--json', 'print JSON')
    .action((options: OutputOptions) => list(options));

  addCommandOfOne(coupon, 'show', 'one campaign', (campaigns, id) => campaigns.find(id));
  addCommandOfOne(coupon, 'pause', 'admit nobody new for now', (campaigns, id) =>
    campaigns.pause(id),
  );
  addCommandOfOne(coupon, 'resume', 'admit again', (campaigns, id) => campaigns.resume(id));
  addCommandOfOne(coupon, 'close', 'admit nobody new, for good', (campaigns, id) =>
    campaigns.close(id),
  );

  coupon
    .command('set-total')
    .description('raise or lower how many there are, also while it is running')
    .argument('<id>', 'the coupon', couponId)
    .argument('<total>', 'the new total', total)
    .option('--json', 'print JSON')
    .action((id: number, newTotal: number, options: OutputOptions) =>
      run(options, (stores) => campaignsOf(stores).setTotal(id, newTotal)),
    );
}

function addCommandOfOne(
  parent: Command,
  name: string,
  description: string,
  work: (campaigns: Campaigns, id: number) => Promise<Coupon>,
): void {
  parent
    .command(name)
    .description(description)
    .argument('<id>', 'the coupon', couponId)
    .option('--json', 'print JSON')
    .action((id: number, options: OutputOptions) =>
      run(options, (stores) => work(campaignsOf(stores), id)),
    );
}

async function run(
  { json }: OutputOptions,
  work: (stores: Stores) => Promise<Coupon>,
): Promise<void> {
  const view = await withStores(loadConfig(), async (stores) => viewOf(stores, await work(stores)));
  process.stdout.write(json ? `${JSON.stringify(view, undefined, 2)}\n` : toTable([view]));
}

async function list({ json }: OutputOptions): Promise<void> {
  const views = await withStores(loadConfig(), async (stores) => {
    const coupons = await new CouponLedger(stores.ledger).list();
    return Promise.all(coupons.map((coupon) => viewOf(stores, coupon)));
  });
  process.stdout.write(json ? `${JSON.stringify(views, undefined, 2)}\n` : toTable(views));
}

async function create(stores: Stores, options: CreateOptions): Promise<Coupon> {
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
    const existing = await new CouponLedger(stores.ledger).find(id);
    if (existing !== null) {
      return existing;
    }
  }
  const draft = { name, total: options.total, opensAt, closesAt };
  return campaignsOf(stores).create(
    id === undefined ? draft : { ...draft, id },
    await countPartitions(stores),
  );
}

async function countPartitions({ config, kafka }: Stores): Promise<number> {
  const admin = new LogAdmin(kafka);
  try {
    const { requested } = topicNames(config.KAFKA_TOPIC_PREFIX);
    return await partitionCount(admin, requested);
  } finally {
    await admin.close();
  }
}

function campaignsOf({ ledger, gate }: Stores): Campaigns {
  return new Campaigns(new CouponLedger(ledger), gate);
}

async function viewOf({ gate }: Stores, coupon: Coupon): Promise<CouponView> {
  return toCouponView(coupon, await gate.inspect(coupon.id));
}
