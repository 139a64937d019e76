import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { couponIdSchema, issuanceIdSchema } from '#coupon/issuance.ts';
import type { AuditQueries } from '#ledger/audit-queries.ts';
import { Batches } from './batches.ts';
import type { Finding } from './finding.ts';
import { ViolationList } from './finding.ts';

/** One answer a client got. Lines of other statuses than 200 and 202 promise nothing. */
const answerSchema = z.object({
  http_status: z.int(),
  issuance_id: issuanceIdSchema.optional(),
  coupon_id: couponIdSchema.optional(),
  user_id: z.string().optional(),
});

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
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(file) })) {
    line += 1;
    if (text.trim() === '') {
      continue;
    }
    const answer = parseAnswer(text);
    if (answer === undefined) {
      violations.add(`line ${line} is not an answer: ${text.slice(0, 100)}`);
    } else if (answer.http_status === 200 || answer.http_status === 202) {
      const { issuance_id: issuanceId, coupon_id: couponId, user_id: userId } = answer;
      if (issuanceId === undefined || couponId === undefined || userId === undefined) {
        violations.add(`line ${line}: acknowledged without issuance_id, coupon_id or user_id`);
      } else {
        yield { line, issuanceId, couponId, userId };
      }
    }
  }
}

function parseAnswer(text: string): z.output<typeof answerSchema> | undefined {
  try {
    return answerSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
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
