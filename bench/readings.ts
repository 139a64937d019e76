import mysql from 'mysql2/promise';
import type { Stack } from '../infra/harness/stack.ts';
import { waitUntil } from '../infra/local/processes/waiting.ts';
import { messageOf } from '#platform/text/error-message.ts';
import { ReadableError } from '../infra/local/terminal/readable-error.ts';

const drainDeadlineMs = 120_000;

/** Throws when a process died: figures of a stack that started again count for nothing. */
export function assertNeverDied({ deaths, refusals }: Stack): void {
  const all = [...deaths, ...refusals.map(({ message }) => message)];
  if (all.length > 0) {
    throw new ReadableError(all.join('\n'));
  }
}

/**
 * Waits until every unit that was taken is issued in MySQL, so that the backlog of one run does not
 * disturb the next. Throws when it takes 2 minutes, or when fewer were issued than were promised.
 */
export async function drain(
  stack: Stack,
  couponId: number,
  total: number,
  promised: number,
): Promise<void> {
  const connection = await mysql.createConnection(stack.env['MYSQL_URL']!);
  let before = -1;
  const look = async (): Promise<true | undefined> => {
    const issued = await countIssued(connection, couponId);
    const { body } = await stack.request(`/api/v1/coupons/${couponId}`);
    const taken = total - ((body.left as number | null) ?? Number.NaN);
    // Twice in a row: requests that wait in the api have taken nothing yet.
    const isDrained = issued === taken && issued === before;
    before = issued;
    return isDrained ? true : undefined;
  };
  try {
    await waitUntil(look, {
      deadlineMs: drainDeadlineMs,
      failure: () => `The issuer is still behind after ${drainDeadlineMs / 1_000} s.`,
    });
  } finally {
    await connection.end();
  }
  if (before < promised) {
    throw new ReadableError(`${promised} were answered 200, but only ${before} were issued.`);
  }
}

/** How many assigns had which outcome since the start: `accepted 5000, recovering 64`. */
export async function outcomes(stack: Stack): Promise<string> {
  const metrics = await stack.app('api').metrics().catch(messageOf);
  const counts = metrics.matchAll(/^firstcome_assigns_total\{.*?outcome="(\w+)".*?\} (\d+)/gm);
  return [...counts].map(([, outcome, count]) => `${outcome} ${count}`).join(', ') || 'unknown';
}

/** The resident memory of each process, in bytes, by its kind. */
export async function memory({ apps }: Stack): Promise<Map<string, number>> {
  const readings = apps.map(async (app): Promise<[string, number]> => {
    const sample = /^process_resident_memory_bytes\S* (\S+)/m.exec(await app.metrics());
    return [app.plan.kind, Number(sample?.[1])];
  });
  return new Map(await Promise.all(readings));
}

async function countIssued(connection: mysql.Connection, couponId: number): Promise<number> {
  const [rows] = await connection.query<mysql.RowDataPacket[]>(
    'SELECT issued FROM coupon WHERE id = ?',
    [couponId],
  );
  return Number(rows[0]?.['issued']);
}
