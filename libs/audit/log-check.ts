import { parseRequestRecord } from '#coupon/events.ts';
import type { IssuanceRequest } from '#coupon/issuance-request.ts';
import type { Kafka } from '#event-log/kafka-client.ts';
import { readTopic } from '#event-log/inspect/log-reader.ts';
import type { AuditQueries, LogPlace, RecordedHolder } from '#ledger/audit-queries.ts';
import { Batches } from './batches.ts';
import type { Finding } from './finding.ts';
import { ViolationList } from './finding.ts';

/** A record to look for in MySQL; without a request it is garbage. */
interface Entry {
  place: LogPlace;
  request?: IssuanceRequest;
}

/** I6: every request that the log still holds has its decision in MySQL, or is a dead letter there. */
export async function checkLog(
  kafka: Kafka,
  topic: string,
  queries: AuditQueries,
): Promise<Finding> {
  const violations = new ViolationList();
  const batches = new Batches<Entry>((batch) =>
    compareWithLedger(topic, batch, queries, violations),
  );
  await readTopic(kafka, topic, async (record, partition) => {
    const parsed = parseRequestRecord(record.value);
    const place = { partition, offset: record.offset };
    if (parsed.kind === 'unknown_version') {
      violations.add(`${textOf(place)}: version ${parsed.version} is not known`);
    }
    if (parsed.kind === 'request' || parsed.kind === 'garbage') {
      await batches.add(parsed.kind === 'request' ? { place, request: parsed.request } : { place });
    }
  });
  await batches.end();
  return violations.toFinding('I6', batches.checked);
}

async function compareWithLedger(
  topic: string,
  batch: Entry[],
  queries: AuditQueries,
  violations: ViolationList,
): Promise<void> {
  const undecided = await findUndecided(batch, queries, violations);
  const places = undecided.map(({ place }) => place);
  const letters = new Set((await queries.findDeadLetters(topic, places)).map(textOf));
  for (const { place, request } of undecided) {
    if (!letters.has(textOf(place))) {
      violations.add(
        request === undefined
          ? `${textOf(place)}: bytes that are no request, and no dead letter`
          : `${request.issuanceId} is neither issued nor refused to ` +
              `${JSON.stringify(request.userId)} of coupon ${request.couponId}`,
      );
    }
  }
}

/** Those that MySQL has no decision about; an id decided for another request is none. */
async function findUndecided(
  batch: Entry[],
  queries: AuditQueries,
  violations: ViolationList,
): Promise<Entry[]> {
  const ids = batch.flatMap(({ request }) => request?.issuanceId ?? []);
  const [issued, refused] = await Promise.all([queries.findIssued(ids), queries.findRefused(ids)]);
  return batch.filter(({ request }) => {
    if (request === undefined) {
      return true;
    }
    const isIssued = isFor(request, issued.get(request.issuanceId));
    const isRefused = isFor(request, refused.get(request.issuanceId));
    if (isIssued && isRefused) {
      violations.add(`${request.issuanceId} is both issued and refused`);
    }
    return !isIssued && !isRefused;
  });
}

function isFor(request: IssuanceRequest, holder: RecordedHolder | undefined): boolean {
  return holder?.couponId === request.couponId && holder.userId === request.userId;
}

function textOf({ partition, offset }: LogPlace): string {
  return `${partition}/${offset}`;
}
