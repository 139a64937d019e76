import type { AuditQueries } from '#ledger/audit-queries.ts';
import { Batches } from './batches.ts';
import type { Finding } from './finding.ts';
import { ViolationList } from './finding.ts';
import { isChange, readJournal } from './history/journal-lines.ts';

interface Acknowledged {
  line: number;
  issuanceId: string;
  couponId: number;
  userId: string;
}

/** I3: each acknowledged answer in the journal (NDJSON) is in MySQL, as it was told to the client. */
export async function checkJournal(file: string, queries: AuditQueries): Promise<Finding> {
  const violations = new ViolationList();
  const batches = new Batches<Acknowledged>((batch) =>
    compareWithLedger(batch, queries, violations),
  );
  for await (const answer of readAcknowledged(file, violations)) {
    await batches.add(answer);
  }
  await batches.end();
  return violations.toFinding('I3', batches.checked);
}

async function* readAcknowledged(
  file: string,
  violations: ViolationList,
): AsyncGenerator<Acknowledged> {
  const other = (line: number, text: string): void =>
    violations.add(`line ${line} is not an answer: ${text.slice(0, 100)}`);
  for await (const answer of readJournal(file, other)) {
    if (isChange(answer) || (answer.http_status !== 200 && answer.http_status !== 202)) {
      continue;
    }
    const { line, issuance_id: issuanceId, coupon_id: couponId, user_id: userId } = answer;
    if (issuanceId === undefined || couponId === undefined || userId === undefined) {
      violations.add(`line ${line}: acknowledged without issuance_id, coupon_id or user_id`);
    } else {
      yield { line, issuanceId, couponId, userId };
    }
  }
}

async function compareWithLedger(
  batch: Acknowledged[],
  queries: AuditQueries,
  violations: ViolationList,
): Promise<void> {
  const issued = await queries.findIssued(batch.map((answer) => answer.issuanceId));
  for (const { line, issuanceId, couponId, userId } of batch) {
    const holder = issued.get(issuanceId);
    if (holder === undefined) {
      violations.add(`line ${line}: ${issuanceId} was acknowledged and is not issued`);
    } else if (holder.couponId !== couponId || holder.userId !== userId) {
      violations.add(
        `line ${line}: ${issuanceId} was told to user ${JSON.stringify(userId)} of coupon ` +
          `${couponId}, and issued to ${JSON.stringify(holder.userId)} of ${holder.couponId}`,
      );
    }
  }
}
