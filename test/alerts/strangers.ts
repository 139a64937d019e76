import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { AlertStack } from './alert-stack.ts';

const most = 60;
const againMs = 100;

/**
 * Lets MySQL have few connections, and takes all of them but `left`; also those that others give back.
 * The exporter has one of those that count each time it looks, unless none is left for it. Resolves with
 * what gives them back.
 */
export async function openConnections(
  stack: AlertStack,
  left: number,
): Promise<() => Promise<void>> {
  const first = await stack.stranger();
  const [before] = await first.query<RowDataPacket[]>('SELECT @@max_connections AS most');
  await first.query(`SET GLOBAL max_connections = ${most}`);
  const opened: Connection[] = [first];
  const over = new AbortController();
  const took = takeAll(stack, first, opened, left, over.signal);
  return async () => {
    over.abort();
    await took;
    await first.query(`SET GLOBAL max_connections = ${before[0]!['most']}`);
    await Promise.all(opened.map((connection) => connection.end()));
  };
}

async function takeAll(
  stack: AlertStack,
  first: Connection,
  opened: Connection[],
  left: number,
  over: AbortSignal,
): Promise<void> {
  const wanted = left === 0 ? most : most - left - 1;
  while (!over.aborted) {
    const [rows] = await first.query<RowDataPacket[]>(
      "SHOW GLOBAL STATUS LIKE 'Threads_connected'",
    );
    for (let used = Number(rows[0]!['Value']); used < wanted; used += 1) {
      // Somebody else may have been quicker.
      await stack.stranger().then(
        (connection) => opened.push(connection),
        () => undefined,
      );
    }
    await sleep(againMs);
  }
}
