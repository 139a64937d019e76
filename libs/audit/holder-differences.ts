import type { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import type { Gate, HeldIssuance } from '#gate/gate.ts';

/**
 * Who was issued a unit and does not hold it at the gate, in words, slice by slice. That needs no
 * rest: a unit is at the gate long before it is in MySQL, and within an epoch only a refusal takes
 * it away. `issued`: how many were looked for.
 */
export async function* findMissing(
  gate: Gate,
  issuances: IssuanceLedger,
  couponId: number,
): AsyncGenerator<{ issued: number; missing: string[] }> {
  for await (const slice of issuances.holders(couponId)) {
    const held = await gate.heldBy(couponId, userIdsOf(slice));
    const missing = slice.flatMap(({ userId, issuanceId }, i) =>
      held[i] === issuanceId
        ? []
        : `${nameOf(userId)}: MySQL has ${issuanceId}, the gate ${held[i] ?? 'nothing'}`,
    );
    yield { issued: slice.length, missing };
  }
}

/** Who holds a unit and was not issued any: as yet, unless the system is at rest. */
export async function* findUnrecorded(
  gate: Gate,
  issuances: IssuanceLedger,
  couponId: number,
): AsyncGenerator<HeldIssuance[]> {
  for await (const slice of gate.holders(couponId)) {
    const recorded = await issuances.issuedTo(couponId, userIdsOf(slice));
    yield slice.filter(({ userId }) => !recorded.has(userId));
  }
}

export function describeUnrecorded(
  { userId, issuanceId }: HeldIssuance,
  inLedger = 'nothing',
): string {
  return `${nameOf(userId)}: the gate has ${issuanceId}, MySQL ${inLedger}`;
}

function nameOf(userId: string): string {
  return `user ${JSON.stringify(userId)}`;
}

function userIdsOf(slice: HeldIssuance[]): string[] {
  return slice.map(({ userId }) => userId);
}
