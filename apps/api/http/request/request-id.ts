import { randomUUID } from 'node:crypto';

const processId = randomUUID();
let requests = 0;

/** Unique among all processes; a UUID for each request would be a thirtieth of its garbage. */
export function newRequestId(): string {
  requests += 1;
  return `${processId}-${requests}`;
}
