import type { Command } from 'commander';
import type { Comparison } from '#audit/reconciler.ts';
import { Reconciler } from '#audit/reconciler.ts';
import type { Coupon } from '#coupon/coupon.ts';
import { couponIdMax } from '#coupon/coupon.ts';
import type { CouponLedger } from '#ledger/coupons/coupon-ledger.ts';
import type { ExitCode } from '#platform/command/exit-codes.ts';
import { exitCodes } from '#platform/command/exit-codes.ts';
import type { Stores } from '#stores/stores.ts';
import { wholeNumber, wholeNumbers } from './arguments.ts';
import { CommandError } from './command-error.ts';
import { withStores } from './stores.ts';
import { print, printJson, toOneLine } from './text.ts';

interface ReconcileOptions {
  coupon?: number[];
  apply?: true;
  wait: number;
  json?: true;
}

/** What is printed of one coupon. */
interface Outcome {
  coupon_id: number;
  result: 'same' | 'differs' | 'repaired' | 'busy';
  differences: string[];
  /** Why it is busy, or still differs after a repair. */
  reason?: string;
}

/** Of a difference, which has a user id in it. */
const lineLengthMax = 1_000;
/** Longer than one try of a recovery, which waits 30 s for the issuers. */
const openTimeoutMs = 40_000;

export function addReconcileCommand(program: Command): void {
  program
    .command('reconcile')
    .description('show where gates differ from MySQL, and with --apply make them agree with it')
    .option(
      '--coupon <id>',
      'only this one; may be given more than once',
      wholeNumbers(1, couponIdMax),
    )
    .option('--apply', 'repair: gates that differ are shut for a moment and rebuilt from MySQL')
    .option(
      '--wait <seconds>',
      'how long to wait for the issuers to come to what is judged',
      wholeNumber(0, 3_600),
      30,
    )
    .option('--json', 'one JSON document instead of lines')
    .addHelpText(
      'after',
      '\nExit code: 0 nothing differs any more, 3 something does, 1 something could not be judged',
    )
    .action(async (options: ReconcileOptions) => {
      const outcomes = await withStores(['gate', 'ledger', 'log'], (stores) =>
        reconcile(stores, options),
      );
      if (options.json) {
        printJson({ coupons: outcomes });
      }
      process.exitCode = exitCodeOf(outcomes);
    });
}

function exitCodeOf(outcomes: Outcome[]): ExitCode {
  if (outcomes.some(({ result }) => result === 'differs')) {
    return exitCodes.promiseVoid;
  }
  const isJudged = outcomes.every(({ result }) => result !== 'busy');
  return isJudged ? exitCodes.fine : exitCodes.failed;
}

async function reconcile(
  stores: Stores<'gate' | 'ledger' | 'log'>,
  options: ReconcileOptions,
): Promise<Outcome[]> {
  const { ledger, gate, issuers } = stores;
  const coupons = await chooseCoupons(stores.coupons, options.coupon);
  const reconciler = new Reconciler(ledger, gate, issuers);
  const outcomes: Outcome[] = [];
  for (const coupon of coupons) {
    const outcome = await reconcileOne(reconciler, coupon, options);
    outcomes.push(outcome);
    if (!options.json) {
      print(describe(outcome));
    }
    // One after another: when nobody opens a gate again, the next one is better left open.
    if (options.apply && outcome.result === 'differs') {
      break;
    }
  }
  return outcomes;
}

async function chooseCoupons(coupons: CouponLedger, ids: number[] | undefined): Promise<Coupon[]> {
  const all = await coupons.list();
  const archived = (await coupons.findAll(ids ?? [])).find(({ archivedAt }) => archivedAt !== null);
  if (archived !== undefined) {
    throw new CommandError(`coupon ${archived.id} is archived: it has no gate to compare`);
  }
  const unknown = ids?.find((id) => !all.some((coupon) => coupon.id === id));
  if (unknown !== undefined) {
    throw new CommandError(`there is no coupon ${unknown}`);
  }
  return all.filter(({ id }) => ids === undefined || ids.includes(id));
}

async function reconcileOne(
  reconciler: Reconciler,
  coupon: Coupon,
  options: ReconcileOptions,
): Promise<Outcome> {
  const waitMs = options.wait * 1_000;
  const seen = await reconciler.compare(coupon, { waitMs });
  if (seen.differences.length === 0 || !options.apply) {
    return toOutcome(seen);
  }
  const notOpen = await reconciler.repair(seen, openTimeoutMs);
  if (notOpen !== undefined) {
    return { ...toOutcome(seen), reason: notOpen };
  }
  const again = await reconciler.compare(coupon, { waitMs });
  if (again.differences.length === 0 && again.busy === undefined) {
    return { ...toOutcome(seen), result: 'repaired' };
  }
  return { ...toOutcome(again), result: 'differs', reason: again.busy ?? 'it still differs' };
}

function toOutcome({ couponId, differences, busy }: Comparison): Outcome {
  if (busy !== undefined) {
    return { coupon_id: couponId, result: 'busy', differences, reason: busy };
  }
  const result = differences.length === 0 ? 'same' : 'differs';
  return { coupon_id: couponId, result, differences };
}

function describe({ coupon_id: id, result, differences, reason }: Outcome): string {
  const words = { same: 'same', differs: 'differs', repaired: 'repaired', busy: 'not judged' };
  const why = reason === undefined ? '' : ` (${reason})`;
  const lines = differences
    .map((difference) => `          ${toOneLine(difference, lineLengthMax)}\n`)
    .join('');
  return `coupon ${id}: ${words[result]}${why}\n${lines}`;
}
