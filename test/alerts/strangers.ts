import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { AlertStack } from './alert-stack.ts';

const most = 60;

/**
 * Lets MySQL have few connections, and takes all of them but `left`. The exporter has one of those
 * that count each time it looks. Resolves with what gives them back.
 */
export async function openConnections(
  stack: AlertStack,
  left: number,
): Promise<() => Promise<void>> {
  const first = await stack.stranger();
  const [rows] = await first.query<RowDataPacket[]>("SHOW GLOBAL STATUS LIKE 'Threads_connected'");
  const used = Number(rows[0]!['Value']);
  const [before] = await first.query<RowDataPacket[]>('SELECT @@max_connections AS most');
  await first.query(`SET GLOBAL max_connections = ${most}`);
  const opened: Connection[] = [first];
  // One is for the exporter.
  for (let n = used; n < most - left - 1; n += 1) {
    opened.push(await stack.stranger());
  }
  return async () => {
    await first.query(`SET GLOBAL max_connections = ${before[0]!['most']}`);
    await Promise.all(opened.map((connection) => connection.end()));
  };
}
