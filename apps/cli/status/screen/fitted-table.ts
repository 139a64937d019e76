import stringWidth from 'string-width';
import { printable } from '#platform/text/printable.ts';

export interface Column<Row> {
  title: string;
  /** The least important goes first where a terminal is narrow: 1 stays longest. */
  importance: number;
  /** Numbers stand to the right. */
  isNumber?: boolean;
  /** May be cut to what is left of the width. */
  isElastic?: boolean;
  cell: (row: Row) => string;
}

const gap = '  ';
const elasticMin = 6;

/**
 * Rows as lines of at most `width` places of a terminal, under their titles: columns that do not fit are
 * left out, the least important first. 한 takes two places.
 */
export function fittedTable<Row>(rows: Row[], columns: Column<Row>[], width: number): string[] {
  const all = columns.map((column) => ({
    column,
    cells: [column.title, ...rows.map((row) => printable(column.cell(row)))],
  }));
  const fitted = fit(all, width);
  return ['', ...rows].map((_, line) =>
    fitted
      .map(({ column, cells, places }) => pad(cells[line]!, places, column.isNumber ?? false))
      .join(gap)
      .trimEnd(),
  );
}

interface Filled<Row> {
  column: Column<Row>;
  cells: string[];
}

function fit<Row>(all: Filled<Row>[], width: number): (Filled<Row> & { places: number })[] {
  const kept = all.map((each) => ({ ...each, places: Math.max(...each.cells.map(placesOf)) }));
  for (;;) {
    const over = kept.reduce((sum, { places }) => sum + places + gap.length, -gap.length) - width;
    if (over <= 0) {
      return kept;
    }
    const elastic = kept.find(({ column }) => column.isElastic);
    if (elastic !== undefined && elastic.places - over >= elasticMin) {
      elastic.places -= over;
      return kept.map((each) => ({
        ...each,
        cells: each.cells.map((cell) => cut(cell, each.places)),
      }));
    }
    if (kept.length === 1) {
      const [{ cells, column }] = kept as [Filled<Row> & { places: number }];
      return [{ column, cells: cells.map((cell) => cut(cell, width)), places: width }];
    }
    const least = kept.toSorted((a, b) => b.column.importance - a.column.importance)[0]!;
    kept.splice(kept.indexOf(least), 1);
  }
}

/** To so many places; what is left out is said by an ellipsis. */
export function cut(text: string, places: number): string {
  if (placesOf(text) <= places) {
    return text;
  }
  let kept = '';
  let taken = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    taken += placesOf(segment);
    if (taken > places - 1) {
      break;
    }
    kept += segment;
  }
  return `${kept}…`;
}

/** Text on as many lines as it takes, cut between words; later lines are indented. */
export function wrapped(text: string, width: number, indent = ''): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of printable(text.replaceAll(/\s+/g, ' ').trim()).split(' ')) {
    const longer = line === '' ? word : `${line}${line.endsWith(' ') ? '' : ' '}${word}`;
    if (placesOf(longer) <= width || line.trim() === '') {
      line = longer;
    } else {
      lines.push(line);
      line = `${indent}${word}`;
    }
  }
  return [...lines, line].map((each) => cut(each, width));
}

export function placesOf(text: string): number {
  return stringWidth(text);
}

function pad(cell: string, places: number, toTheRight: boolean): string {
  const space = ' '.repeat(Math.max(0, places - placesOf(cell)));
  return toTheRight ? space + cell : cell + space;
}
