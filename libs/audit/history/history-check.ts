import type { Finding } from '../finding.ts';
import { ViolationList } from '../finding.ts';
import { collectHistories } from './collect-histories.ts';
import { readJournal } from './journal-lines.ts';
import { findImpossible } from './possible-order.ts';
import { said } from './takers.ts';
import { findWrongIds } from './told-ids.ts';

/**
 * I7: what clients were told is possible, by itself, whatever the stores say: one id for each user for
 * ever and no id for two, and for each coupon an order of all that was asked in which every answer is
 * right (`findImpossible` says what that is, and what it leaves out).
 */
export async function checkHistory(file: string): Promise<Finding> {
  const violations = new ViolationList();
  const histories = await collectHistories(readJournal(file));
  for (const [first, second] of findWrongIds(histories.values())) {
    const ids = [first!, second!].map(
      ({ told, line }) => `${'issuanceId' in told ? told.issuanceId : ''} (line ${line})`,
    );
    violations.add(
      `lines ${first!.line} and ${second!.line}: ${said(first!)} ${ids[0]}, and ${said(second!)} ${ids[1]}`,
    );
  }
  let checked = 0;
  for (const history of histories.values()) {
    checked += history.asked.length;
    for (const { line, words } of findImpossible(history)) {
      violations.add(`line ${line}: of coupon ${history.couponId}, ${words}`, history.couponId);
    }
  }
  return violations.toFinding('I7', checked);
}
