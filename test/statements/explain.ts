import { strict as assert } from 'node:assert';

/** A line of EXPLAIN, as far as MySQL and MariaDB agree on it. */
export interface Step {
  select_type: string;
  table: string | null;
  /** How its rows are found: `ALL` is every row, `index` every entry of a key. */
  type: string | null;
  key: string | null;
  rows: number | string | null;
  Extra: string | null;
}

/**
 * Tables that may be read as a whole. Every other one grows with the requests that come, so that reading
 * all of it takes longer every day.
 */
const bounded: Record<string, string> = {
  coupon: 'a row for each coupon that was ever created: thousands, and none for a request',
  api_key: 'a row for each key that a manager has made for a machine',
  migrations: 'a row for each change of the schema',
};

/** Statements that may read most of a growing table, and why. */
const exceptions: { text: string; why: string }[] = [
  {
    text: 'SELECT coupon_id, COUNT(*) AS count FROM (SELECT coupon_id FROM issuance ORDER BY id DESC LIMIT ?) AS latest GROUP BY coupon_id',
    why: 'goes along the primary key and stops at its limit; EXPLAIN does not say so of an inner query',
  },
  {
    text: 'SELECT coupon_id, user_id, COUNT(*) AS row_count FROM issuance GROUP BY coupon_id, user_id HAVING COUNT(*) > ? LIMIT ?',
    why: 'verify, which a person starts, proves I2 of every row there is; it goes along the unique key',
  },
  ...[
    'SELECT COUNT(*) AS row_count FROM redemption',
    'SELECT issuance_id, COUNT(*) AS row_count FROM redemption GROUP BY issuance_id HAVING COUNT(*) > ? LIMIT ?',
    'SELECT r.issuance_id, r.redeemed_at, i.coupon_id, c.valid_until FROM redemption r LEFT JOIN issuance i ON i.id = r.issuance_id LEFT JOIN coupon c ON c.id = i.coupon_id WHERE i.id IS NULL OR r.redeemed_at >= c.valid_until + ? LIMIT ?',
  ].map((text) => ({
    text,
    why: 'verify, which a person starts, proves I8 of every row there is',
  })),
];

const explainable = /^(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH)\b/i;
/** They read no row of a table of ours, or are sent once for each version of the schema. */
const tableless =
  /^(?:SET|SHOW|START|COMMIT|ROLLBACK|CREATE|ALTER|DROP|USE)\b|\bINFORMATION_SCHEMA\b/i;

/** Whether it can be explained. Throws for a kind of statement that nobody has thought about. */
export function canBeExplained(text: string): boolean {
  assert(explainable.test(text) || tableless.test(text), `a new kind of statement: ${text}`);
  return !tableless.test(text);
}

/** How many rows the tables have that grow, by name. */
export type GrownTables = Readonly<Record<string, number>>;

/** Which growing tables a statement reads as a whole, in words; nothing when it does not. */
export function fullScans(text: string, steps: Step[], grown: GrownTables): string[] {
  if (exceptions.some((exception) => exception.text === text)) {
    return [];
  }
  return steps.flatMap(({ select_type: kind, table: name, type, rows }) => {
    // Of what it inserts there is no scan, and `<derived2>` is what another step has found.
    if (name === null || name.startsWith('<') || kind === 'INSERT' || rows === null) {
      return [];
    }
    const table = tableOf(name, text);
    const count = grown[table];
    assert(
      count !== undefined || table in bounded,
      `nobody has said whether ${table} grows: ${text}`,
    );
    const isWhole =
      type === 'ALL' ||
      type === 'index' ||
      (isMost(type, Number(rows), count) && !walksToItsLimit(text));
    return count !== undefined && isWhole && !takesAnyRow(text)
      ? [`${table} (${type}, ${rows} of ${count} rows)`]
      : [];
  });
}

/** From somewhere near its beginning to its end is as good as all of it. */
function isMost(type: string | null, rows: number, count = Infinity): boolean {
  // InnoDB never estimates more than half for a range.
  return type === 'range' && rows > count / 3;
}

/** Along the key that it is ordered by, with no other condition: it reads no more rows than it takes. */
function walksToItsLimit(text: string): boolean {
  const column =
    /WHERE \(*(?:`\w+`\.)?`?(\w+)`? [<>] \?\)* ORDER BY `?(?:\w+_)?\1`?(?: ASC)? LIMIT \?$/;
  return column.test(text);
}

/** A step has the alias, where there is one: `FROM coupon c`. */
function tableOf(alias: string, text: string): string {
  const place = `(?:FROM|JOIN|INTO|UPDATE)\\s+\`?(\\w+)\`?\\s+(?:AS\\s+)?\`?${alias}\\b`;
  return new RegExp(place, 'i').exec(text)?.[1] ?? alias;
}

/** One row, whichever, to see whether that is allowed. */
function takesAnyRow(text: string): boolean {
  return /^SELECT \? FROM \w+ LIMIT \?$/.test(text);
}
