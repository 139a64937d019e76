import mysql from 'mysql2/promise';
import type { JournalLine } from '../../infra/harness/answer-journal.ts';
import { readJournal } from '../../infra/harness/answer-journal.ts';

/** What the ledger says of the answers that clients got. */
export interface LedgerComparison {
  issued: number;
  /** Requests in the log that were decided against, by reason. */
  refused: Record<string, number>;
  /** Answers 200 whose user has no unit. */
  lost: number;
  /** Answers 200 with another id than the one that user has, and second units of a user. */
  duplicated: number;
  /** Units above the total of their coupon. */
  oversold: number;
  /** The first few of all these, in words. */
  examples: string[];
}

const batchSize = 500;
const examplesMax = 5;

/** Compares by itself, with nothing of the code that `verify` runs. */
export async function compareWithLedger(
  journalFile: string,
  mysqlUrl: string,
): Promise<LedgerComparison> {
  const connection = await mysql.createConnection(mysqlUrl);
  try {
    const result = await countUnits(connection);
    for await (const lines of readJournal(journalFile, batchSize)) {
      await compareAnswers(
        connection,
        lines.filter((line) => line.http_status === 200),
        result,
      );
    }
    return result;
  } finally {
    await connection.end();
  }
}

async function countUnits(connection: mysql.Connection): Promise<LedgerComparison> {
  const query = async (sql: string): Promise<Record<string, unknown>[]> =>
    (await connection.query<mysql.RowDataPacket[]>(sql))[0];
  const [issued] = await query('SELECT COUNT(*) AS units FROM issuance');
  const refused = await query('SELECT reason, COUNT(*) AS units FROM refusal GROUP BY reason');
  const [second] = await query(
    'SELECT COALESCE(SUM(units - 1), 0) AS units FROM ' +
      '(SELECT COUNT(*) AS units FROM issuance GROUP BY coupon_id, user_id) AS of_user',
  );
  const [above] = await query(
    'SELECT COALESCE(SUM(GREATEST(of_coupon.units, coupon.total) - coupon.total), 0) AS units ' +
      'FROM coupon JOIN (SELECT coupon_id, COUNT(*) AS units FROM issuance GROUP BY coupon_id) ' +
      'AS of_coupon ON of_coupon.coupon_id = coupon.id',
  );
  return {
    issued: Number(issued?.['units']),
    refused: Object.fromEntries(
      refused.map((row) => [String(row['reason']), Number(row['units'])]),
    ),
    lost: 0,
    duplicated: Number(second?.['units']),
    oversold: Number(above?.['units']),
    examples: [],
  };
}

async function compareAnswers(
  connection: mysql.Connection,
  answers: JournalLine[],
  result: LedgerComparison,
): Promise<void> {
  if (answers.length === 0) {
    return;
  }
  const users = answers.map((answer) => [answer.coupon_id, Buffer.from(answer.user_id!)]);
  const [rows] = await connection.query<mysql.RowDataPacket[]>(
    'SELECT coupon_id, user_id, LOWER(HEX(id)) AS id FROM issuance WHERE (coupon_id, user_id) IN (?)',
    [users],
  );
  const idOf = new Map(
    rows.map((row) => [`${row['coupon_id']} ${String(row['user_id'])}`, String(row['id'])]),
  );
  for (const { coupon_id, user_id, issuance_id } of answers) {
    const held = idOf.get(`${coupon_id} ${user_id}`);
    if (held !== issuance_id?.replaceAll('-', '')) {
      result[held === undefined ? 'lost' : 'duplicated'] += 1;
      if (result.examples.length < examplesMax) {
        const has = held === undefined ? 'has none' : `has ${held}`;
        result.examples.push(`${user_id} of coupon ${coupon_id} was told ${issuance_id}, ${has}`);
      }
    }
  }
}
