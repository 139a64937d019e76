import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecordedStatement } from '#ledger/queries/statement-record.ts';
import { statementsDir } from '../../infra/local/processes/paths.ts';
import { TestLedger } from '../harness/stores/test-ledger.ts';
import type { GrownTables, Step } from './explain.ts';
import { canBeExplained, fullScans } from './explain.ts';
import { growLedger } from './grown-ledger.ts';
import { statementsInSources } from './source-statements.ts';

const recordedIn = statementsDir();
const ledger = new TestLedger();
let grown: GrownTables;
const captured = readCaptured();
const hint =
  'npm test records what the tests have the system send; a part of them sends a part only';

beforeAll(async () => {
  await ledger.start();
  grown = await growLedger(ledger);
});
afterAll(() => ledger.close());

function readCaptured(): RecordedStatement[] {
  const lines = globSync('*.ndjson', { cwd: recordedIn }).flatMap((file) =>
    readFileSync(join(recordedIn, file), 'utf8').split('\n').filter(Boolean),
  );
  const statements = lines.map((line) => JSON.parse(line) as RecordedStatement);
  // Of each kind the one with the fewest values, and the one with the most.
  const bySize = statements.toSorted((a, b) => a.size - b.size);
  const most = new Map(bySize.map((each) => [each.fingerprint, each]));
  const least = new Map(bySize.toReversed().map((each) => [each.fingerprint, each]));
  return [...new Set([...least.values(), ...most.values()])];
}

/** TypeORM names the database, where it was sent, of the table of migrations. */
const databaseOfTest = /(?<=\b(?:FROM|JOIN|INTO|UPDATE)\s+)`[^`]+`\.(?=`)/gi;

async function explain(sql: string): Promise<Step[]> {
  return ledger.query<Step>(`EXPLAIN ${sql.replaceAll(databaseOfTest, '')}`);
}

describe('what the tests have had the system send to MySQL', () => {
  it('has in it every statement that is written in the sources of the ledger', () => {
    const statements = statementsInSources();
    expect(statements.length).toBeGreaterThan(20);
    const missing = statements.filter(
      ({ pattern }) => !captured.some(({ text }) => pattern.test(text)),
    );
    expect(
      missing.map(({ place, pattern }) => `${place} ${pattern}`),
      hint,
    ).toEqual([]);
  });

  it('has in it what TypeORM writes, for every entity', () => {
    for (const entity of ['CouponRow', 'CouponChangeRow', 'DeadLetterRow']) {
      expect(
        captured.filter(({ text }) => text.includes(`\`${entity}\``)).length,
        hint,
      ).toBeGreaterThan(0);
    }
  });

  it('reads no growing table as a whole', async () => {
    const found: string[] = [];
    let explained = 0;
    for (const { text, size, sample } of captured.filter(({ text: each }) =>
      canBeExplained(each),
    )) {
      const steps = await explain(sample).catch((error: unknown) => {
        throw new Error(`cannot be explained: ${text}`, { cause: error });
      });
      explained += 1;
      found.push(
        ...fullScans(text, steps, grown).map((scan) => `${scan}: ${text} (${size} values)`),
      );
    }
    expect(explained, hint).toBeGreaterThan(40);
    expect(found).toEqual([]);
  });
});

describe('the check itself', () => {
  it.each([
    ['DELETE FROM refusal WHERE reason = ?', "DELETE FROM refusal WHERE reason = 'x'"],
    ['SELECT COUNT(*) FROM issuance', 'SELECT COUNT(*) FROM issuance'],
    [
      'UPDATE dead_letter SET state = ? WHERE trace_id = ?',
      "UPDATE dead_letter SET state = 'x' WHERE trace_id = 'x'",
    ],
  ])('finds that this reads all: %s', async (text, sql) => {
    expect(fullScans(text, await explain(sql), grown)).toHaveLength(1);
  });

  it('finds what a key that is dropped was for', async () => {
    const ofUser = captured.filter(({ text }) => text.includes('WHERE i.user_id = ? AND i.id > ?'));
    expect(ofUser, hint).not.toEqual([]);
    await ledger.query('ALTER TABLE issuance DROP KEY user_id');
    try {
      for (const { text, sample } of ofUser) {
        expect(fullScans(text, await explain(sample), grown), text).not.toEqual([]);
      }
    } finally {
      await ledger.query('ALTER TABLE issuance ADD KEY user_id (user_id, id)');
    }
  });
});
