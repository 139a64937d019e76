import { statfs } from 'node:fs/promises';

const megabyte = 1_000_000;
/** Of a fresh MySQL, the jars of Kafka, and their first logs. */
const neededMb = 250;

/**
 * That there is too little room for the data of servers: servers say of a full disk what they were just
 * about to write, or nothing. `undefined` where there is enough.
 */
export async function lackOfRoom(
  directory: string,
  needed = neededMb,
): Promise<string | undefined> {
  const { bavail, bsize } = await statfs(directory);
  const freeMb = Math.floor((bavail * bsize) / megabyte);
  return freeMb < needed
    ? `The disk is full, or nearly: ${freeMb} MB are free in ${directory}, and the servers need some ` +
        `${needed} MB for a first start. Make room, then run the same command again.`
    : undefined;
}
