import type { Command } from 'commander';
import type { DeadLetterLedger } from '#ledger/dead-letters/dead-letter-ledger.ts';
import { settledReasonLengthMax } from '#ledger/dead-letters/dead-letter-row.ts';
import type { Config } from '#platform/config/config.ts';
import { exitCodes } from '#platform/command/exit-codes.ts';
import type { Stores } from '#stores/stores.ts';
import { wholeNumber, wholeNumbers } from '../arguments.ts';
import { CommandError, WrongUseError } from '../command-error.ts';
import { toEntryTable, toEntryView, toLetterText, toLetterView } from './dead-letter-view.ts';
import type { RedriveView } from './redrive-view.ts';
import { notTried, toRedriveLine, toRedriveView } from './redrive-view.ts';
import { withStores } from '../stores.ts';
import { print, printJson } from '../text.ts';

const idMax = 9_999_999_999;
const letterId = wholeNumber(1, idMax);
const lettersMax = 10_000;

interface OutputOptions {
  json?: true;
}

interface ListOptions extends OutputOptions {
  all?: true;
  limit: number;
  after: number;
}

interface RedriveOptions extends OutputOptions {
  max?: number;
  after: number;
  dryRun?: true;
}

interface DiscardOptions extends OutputOptions {
  allOpen?: true;
  reason: string;
}

export function addDeadLettersCommand(program: Command): void {
  const letters = program
    .command('dead-letters')
    .description('records of the log that are no request: look at them, admit them anew, discard');

  letters
    .command('list')
    .description('the open ones, oldest first')
    .option('--all', 'those that are redriven or discarded too')
    .option('--limit <n>', 'at most so many', wholeNumber(1, lettersMax), 50)
    .option('--after <id>', 'only those after this one: the next page', letterId, 0)
    .option('--json', 'print JSON')
    .action(list);

  letters
    .command('show')
    .description('one of them: why, where, when, headers, trace, key and value')
    .argument('<id>', 'the dead letter', letterId)
    .option('--json', 'print JSON, with key and value in full')
    .action(show);

  letters
    .command('redrive')
    .description(
      'ask again, now, for the user and the coupon that each names; exit 1 unless all got theirs',
    )
    .argument('[ids...]', 'these; otherwise the oldest open ones', wholeNumbers(1, idMax))
    .option('--max <n>', 'at most so many; required without ids', wholeNumber(1, lettersMax))
    .option('--after <id>', 'without ids: only those after this one', letterId, 0)
    .option('--dry-run', 'say what would be tried, and change nothing')
    .option('--json', 'print JSON')
    .action((ids: number[], options: RedriveOptions) => redrive(ids, options));

  letters
    .command('discard')
    .description('settle them for good without an issuance; they are kept, with the reason')
    .argument('[ids...]', 'these', wholeNumbers(1, idMax))
    .option('--all-open', 'all that are open now')
    .requiredOption('--reason <text>', 'why, for those who look later')
    .option('--json', 'print JSON')
    .action((ids: number[], options: DiscardOptions) => discard(ids, options));
}

async function list({ all, limit, after, json }: ListOptions): Promise<void> {
  const entries = await withStores(['ledger'], ({ deadLetters }) =>
    deadLetters.list({ isOpen: !all, afterId: after, rowsMax: limit }),
  );
  if (json) {
    printJson(entries.map(toEntryView));
  } else {
    print(toEntryTable(entries));
  }
}

async function show(id: number, { json }: OutputOptions): Promise<void> {
  const letter = await withStores(['ledger'], ({ deadLetters }) => deadLetters.find(id));
  if (letter === undefined) {
    throw new CommandError(`there is no dead letter ${id}`);
  }
  if (json) {
    printJson(toLetterView(letter));
  } else {
    print(toLetterText(letter));
  }
}

async function redrive(ids: number[], options: RedriveOptions): Promise<void> {
  const { max, dryRun, json } = options;
  if (ids.length === 0 && max === undefined) {
    throw new WrongUseError('say which by their ids, or how many of the oldest with --max');
  }
  if (max !== undefined && ids.length > max) {
    throw new WrongUseError(`${ids.length} ids are more than --max ${max}`);
  }
  const views = await withStores(['gate', 'ledger', 'publisher'], (stores, config) =>
    redriveAll(stores, config, ids, options, (view) => {
      if (!json) {
        print(toRedriveLine(view));
      }
    }),
  );
  if (json) {
    printJson(views);
  }
  const isDone = dryRun || views.every((view) => view.is_redriven);
  process.exitCode = isDone ? exitCodes.fine : exitCodes.failed;
}

/** One after the other: the order of the letters is the order of their admission. */
async function redriveAll(
  { gate, deadLetters: letters, issuanceLog }: Stores<'gate' | 'ledger' | 'publisher'>,
  config: Config,
  ids: number[],
  { max, after, dryRun }: RedriveOptions,
  tell: (view: RedriveView) => void,
): Promise<RedriveView[]> {
  const chosen =
    ids.length > 0
      ? ids
      : (await letters.list({ isOpen: true, afterId: after, rowsMax: max! })).map(({ id }) => id);
  const { AssignCoupon, AssignLimits, Redrive } = await loadAdmission();
  const limits = new AssignLimits(config.ASSIGN_IN_FLIGHT_MAX, config.ASSIGN_WAIT_MAX_MS);
  const redriving = new Redrive(letters, new AssignCoupon(gate, issuanceLog, limits));
  const views: RedriveView[] = [];
  let isLogSilent = false;
  for (const id of chosen) {
    const view: RedriveView = isLogSilent
      ? notTried(id)
      : toRedriveView(id, await (dryRun ? redriving.preview(id) : redriving.run(id)));
    // Each further one would wait as long, and hold one more unit without a promise.
    isLogSilent ||= view.why === 'unconfirmed';
    tell(view);
    views.push(view);
  }
  return views;
}

/** Only now: NestJS comes with it, a third of what any other command needs to start. */
async function loadAdmission() {
  const [assigning, redriving] = await Promise.all([
    import('#admission/assign-coupon.ts'),
    import('#admission/redrive.ts'),
  ]);
  return { ...assigning, ...redriving };
}

async function discard(ids: number[], options: DiscardOptions): Promise<void> {
  const { allOpen, json } = options;
  const reason = checkReason(options.reason);
  if (ids.length > 0 === (allOpen === true)) {
    throw new WrongUseError('say which: by their ids, or with --all-open');
  }
  await withStores(['ledger'], async ({ deadLetters: letters }) => {
    if (allOpen) {
      // What comes in from here on was not meant: nobody has looked at it.
      const count = await letters.discardOpen((await letters.countOpen()).lastId, reason);
      if (json) {
        printJson({ discarded: count });
      } else {
        print(`discarded: ${count}\n`);
      }
      return;
    }
    const views = await Promise.all(ids.map((id) => discardOne(letters, id, reason)));
    if (json) {
      printJson(views);
    } else {
      print(views.map(({ id, detail }) => `${id}  ${detail}\n`).join(''));
    }
    const isDone = views.every((view) => view.is_discarded);
    process.exitCode = isDone ? exitCodes.fine : exitCodes.failed;
  });
}

async function discardOne(letters: DeadLetterLedger, id: number, reason: string) {
  if (await letters.settle(id, { state: 'DISCARDED', reason })) {
    return { id, is_discarded: true, detail: 'discarded' };
  }
  const state = (await letters.find(id))?.state;
  return {
    id,
    is_discarded: state === 'DISCARDED',
    detail: state === undefined ? 'there is no such dead letter' : `is ${state} already`,
  };
}

function checkReason(text: string): string {
  const reason = text.trim();
  if (reason === '' || Array.from(reason).length > settledReasonLengthMax) {
    throw new WrongUseError(`--reason needs 1 to ${settledReasonLengthMax} characters`);
  }
  return reason;
}
