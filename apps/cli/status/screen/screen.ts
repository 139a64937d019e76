import { styleText } from 'node:util';
import type { CouponStatus } from '../coupon-status.ts';
import type { Column } from './fitted-table.ts';
import { cut, fittedTable, wrapped } from './fitted-table.ts';
import { bytesOf, countOf, knownOr, rateOf, spanOf } from './numbers.ts';
import type { PartitionStatus } from '../partition-status.ts';
import type { StoreStatus } from '../store-status.ts';
import type { Severity, SystemStatus, Verdict } from '../system-status.ts';
import { verdictOf } from '../system-status.ts';
import { headline, totalsInWords } from './words.ts';

/** What a terminal can show. */
export interface Canvas {
  width: number;
  /** Without it everything is shown, however many lines that takes. */
  height?: number;
  hasColours: boolean;
}

const narrowest = 30;
const couponsShown = 20;
const partitionsShown = 16;

type Style = Parameters<typeof styleText>[0];

const colours: Record<Verdict, Style> = {
  HEALTHY: ['green', 'bold'],
  ATTENTION: ['yellow', 'bold'],
  BEHIND: ['yellow', 'bold'],
  BROKEN: ['red', 'bold'],
};

/** The status as lines of a terminal: the verdict first, then what needs a person, then all that there is. */
export function screenOf(status: SystemStatus, canvas: Canvas): string[] {
  const width = Math.max(narrowest, canvas.width);
  const paint = (style: Style, text: string): string =>
    canvas.hasColours ? styleText(style, text, { validateStream: false }) : text;
  const title = (text: string): string => paint('bold', cut(text, width));
  const lines = [
    ...wrapped(headline(status), width, '  ').map((line) =>
      paint(colours[verdictOf(status)], line),
    ),
    ...problemLines(status, width, paint),
    ...wrapped(totalsInWords(status), width, '  '),
    '',
    title('COUPONS  total = left + held, held = issued + under way'),
    ...tableOf(status.coupons, couponColumns, width, couponsShown),
    ...othersLine(status, width),
    '',
    title('LOG'),
    ...tableOf(status.partitions, partitionColumns, width, partitionsShown),
    '',
    title('STORES'),
    ...tableOf(status.stores, storeColumns, width, status.stores.length),
    '',
    ...alertLines(status, width),
  ];
  return canvas.height === undefined ? lines : withinHeight(lines, canvas.height);
}

const marks: Record<Severity, Style> = { BROKEN: 'red', BEHIND: 'yellow', ATTENTION: 'yellow' };

/** The first one is the headline; of it, too, there is something to do. */
function problemLines(
  { problems }: SystemStatus,
  width: number,
  paint: (style: Style, text: string) => string,
): string[] {
  return problems.flatMap(({ severity, says, remedy }, i) => [
    ...(i === 0 ? [] : wrapped(`${severity}: ${says}`, width, '  ')).map((line) =>
      paint(marks[severity], line),
    ),
    ...wrapped(`→ ${remedy}`, width, '  '),
  ]);
}

const couponColumns: Column<CouponStatus>[] = [
  { title: 'id', importance: 1, isNumber: true, cell: ({ couponId }) => String(couponId) },
  { title: 'name', importance: 6, isElastic: true, cell: ({ name }) => name ?? '–' },
  {
    title: 'state',
    importance: 5,
    cell: ({ state, gate }) => state ?? (gate === 'open' ? '–' : 'SHUT'),
  },
  { title: 'total', importance: 7, isNumber: true, cell: ({ total }) => countOf(total) },
  { title: 'left', importance: 2, isNumber: true, cell: ({ left }) => countOf(left) },
  { title: 'held', importance: 3, isNumber: true, cell: ({ held }) => countOf(held) },
  { title: 'issued', importance: 3, isNumber: true, cell: ({ issued }) => countOf(issued) },
  { title: 'under way', importance: 4, isNumber: true, cell: ({ underWay }) => countOf(underWay) },
  {
    title: 'admits',
    importance: 8,
    isNumber: true,
    cell: ({ admittedPerS }) => knownOr(admittedPerS, rateOf),
  },
  {
    title: 'gone in',
    importance: 9,
    isNumber: true,
    cell: ({ sellOutS }) => knownOr(sellOutS, spanOf),
  },
  { title: 'pending', importance: 10, isNumber: true, cell: ({ pending }) => countOf(pending) },
  {
    title: 'oldest',
    importance: 11,
    isNumber: true,
    cell: ({ oldestPendingS }) => knownOr(oldestPendingS, spanOf),
  },
];

const partitionColumns: Column<PartitionStatus>[] = [
  { title: 'partition', importance: 1, isNumber: true, cell: ({ partition }) => String(partition) },
  { title: 'records', importance: 2, isNumber: true, cell: ({ lag }) => countOf(lag) },
  {
    title: 'behind',
    importance: 3,
    isNumber: true,
    cell: ({ lagSeconds }) => knownOr(lagSeconds, spanOf),
  },
  {
    title: 'in',
    importance: 6,
    isNumber: true,
    cell: ({ loggedPerS }) => knownOr(loggedPerS, rateOf),
  },
  {
    title: 'decided',
    importance: 5,
    isNumber: true,
    cell: ({ decidedPerS }) => knownOr(decidedPerS, rateOf),
  },
  {
    title: 'done in',
    importance: 7,
    isNumber: true,
    cell: ({ drainS }) => knownOr(drainS, spanOf),
  },
  { title: 'issuer', importance: 4, isElastic: true, cell: ({ member }) => member ?? 'nobody' },
];

const storeColumns: Column<StoreStatus>[] = [
  { title: 'store', importance: 1, cell: ({ store }) => store },
  { title: 'role', importance: 2, cell: ({ role, isAway }) => (isAway ? 'AWAY' : (role ?? '–')) },
  { title: 'memory', importance: 4, cell: memoryOf },
  { title: '', importance: 3, isElastic: true, cell: ({ says }) => says },
];

function memoryOf({ usedBytes, limitBytes }: StoreStatus): string {
  const limit = limitBytes === null ? undefined : bytesOf(limitBytes);
  if (usedBytes === null) {
    return limit === undefined ? '–' : `${limit} pool`;
  }
  const used = bytesOf(usedBytes);
  return limit === undefined
    ? `${used}, no limit`
    : `${used} of ${limit} (${Math.round((usedBytes / limitBytes!) * 100)} %)`;
}

function tableOf<Row>(
  rows: Row[],
  columns: Column<Row>[],
  width: number,
  rowsMax: number,
): string[] {
  if (rows.length === 0) {
    return [cut('none that is known', width)];
  }
  const more = rows.length - rowsMax;
  const lines = fittedTable(rows.slice(0, rowsMax), columns, width);
  return more > 0 ? [...lines, cut(`… and ${more} more`, width)] : lines;
}

function othersLine({ others: { coupons, total, issued } }: SystemStatus, width: number): string[] {
  return coupons === 0
    ? []
    : wrapped(
        `and ${countOf(coupons)} others: total ${countOf(total)}, issued ${countOf(issued)}`,
        width,
      );
}

function alertLines({ alerts }: SystemStatus, width: number): string[] {
  if (alerts === undefined) {
    return wrapped(
      'ALERTS  nobody was asked: npm run observe, or ALERTMANAGER_URL or PROMETHEUS_URL',
      width,
      '  ',
    );
  }
  const firing = alerts.value;
  return wrapped(
    firing === undefined
      ? `ALERTS  unknown: ${alerts.problem}`
      : `ALERTS  ${firing.length === 0 ? 'none fires' : firing.map(({ name }) => name).join(', ')}`,
    width,
    '  ',
  );
}

function withinHeight(lines: string[], height: number): string[] {
  return lines.length <= height
    ? lines
    : [...lines.slice(0, Math.max(1, height - 1)), `… ${lines.length - height + 1} more lines`];
}
