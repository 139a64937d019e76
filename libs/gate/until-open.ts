import { setTimeout as delay } from 'node:timers/promises';
import type { Gate } from './gate.ts';

const pollMs = 100;

/** Waits for the gate of a coupon to be open. False when that takes longer than `timeoutMs`. */
export async function untilOpen(gate: Gate, couponId: number, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while ((await gate.inspect(couponId)).gate !== 'open') {
    if (performance.now() > deadline) {
      return false;
    }
    await delay(pollMs);
  }
  return true;
}
