import { parentPort } from 'node:worker_threads';
import type { Seeds } from './parallel-search.ts';
import { search } from './random-schedules.ts';
import { anything } from '../scenarios.ts';

/* One thread of `searchInParallel`: runs the seeds it is sent, and sends back what came of them. */

parentPort!.on('message', (seeds: Seeds) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- no window
  parentPort!.postMessage(search(anything, seeds));
});
