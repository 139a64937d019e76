import type { IssuanceRequested } from '#coupon/events.js';
import { parseRequestRecord } from '#coupon/events.js';
import type { Kafka } from '#event-log/kafka-client.js';
import { readTopic } from '#event-log/log-reader.js';
import type { AuditQueries } from '#ledger/audit-queries.js';
import type { Finding } from './finding.js';
import { ViolationList } from './finding.js';

const batchSize = 1_000;

/** I6: every request that the log still holds has its decision in MySQL. */
export async function checkLog(
  kafka: Kafka,
  topic: string,
  queries: AuditQueries,
): Promise<Finding> {
  const violations = new ViolationList();
  let checked = 0;
  let batch: IssuanceRequested[] = [];
  const checkBatch = async (): Promise<void> => {
    await compareWithLedger(batch, queries, violations);
    checked += batch.length;
    batch = [];
  };
  await readTopic(kafka, topic, async (record, partition) => {
    const parsed = parseRequestRecord(record.value);
    if (parsed.kind === 'unknown_version') {
      violations.add(`${partition}/${record.offset}: version ${parsed.version} is not known`);
    }
    if (parsed.kind === 'request') {
      batch.push(parsed.request);
      if (batch.length === batchSize) {
        await checkBatch();
      }
    }
  });
  await checkBatch();
  return violations.toFinding('I6', checked);
}

async function compareWithLedger(
  batch: IssuanceRequested[],
  queries: AuditQueries,
  violations: ViolationList,
): Promise<void> {
  if (batch.length === 0) {
    return;
  }
  const ids = batch.map((request) => request.issuance_id);
  const [issued, refused] = await Promise.all([queries.findIssued(ids), queries.findRefused(ids)]);
  for (const request of batch) {
    const { issuance_id: id, coupon_id: couponId, user_id: userId } = request;
    const holder = issued.get(id);
    if (holder === undefined && !refused.has(id)) {
      violations.add(`${id} is neither issued nor refused`);
    } else if (holder !== undefined && refused.has(id)) {
      violations.add(`${id} is both issued and refused`);
    } else if (holder && (holder.couponId !== couponId || holder.userId !== userId)) {
      violations.add(`${id} was requested by ${JSON.stringify(userId)}, issued to another`);
    }
  }
}
