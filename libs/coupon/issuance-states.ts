/** Where an issuance may stand, as clients are told. */
type Status = 'ACCEPTED' | 'ISSUED' | 'REFUSED' | 'REDEEMED' | 'EXPIRED';

/**
 * What may follow what; nothing else says so. It is drawn in docs/architecture.md, and a check holds
 * the drawing to it.
 */
export const issuanceTransitions = {
  ACCEPTED: ['ISSUED', 'REFUSED'],
  ISSUED: ['REDEEMED', 'EXPIRED'],
  REFUSED: [],
  REDEEMED: [],
  // When its coupon is made valid for longer.
  EXPIRED: ['ISSUED'],
} as const satisfies Record<Status, readonly Status[]>;

export type IssuanceStatus = keyof typeof issuanceTransitions;

export const issuanceStatuses = Object.keys(issuanceTransitions) as [
  IssuanceStatus,
  ...IssuanceStatus[],
];

/** What a request in the log comes to. */
export const decidedStatuses = issuanceTransitions.ACCEPTED;

export function mayFollow(from: IssuanceStatus, to: IssuanceStatus): boolean {
  return (issuanceTransitions[from] as readonly IssuanceStatus[]).includes(to);
}

/** Nothing follows: whoever was told so once was told so for ever. */
export function isFinal(status: IssuanceStatus): boolean {
  return issuanceTransitions[status].length === 0;
}

/**
 * Where what was issued stands. Redeemed in time it stays redeemed; otherwise it is over from
 * `validUntil` on. Times in milliseconds, all by the clock of MySQL.
 */
export function statusOfIssued(
  { redeemedAt, validUntil }: { redeemedAt: number | null; validUntil: number | null },
  now: number,
): 'ISSUED' | 'REDEEMED' | 'EXPIRED' {
  if (redeemedAt !== null) {
    return 'REDEEMED';
  }
  return validUntil !== null && now >= validUntil ? 'EXPIRED' : 'ISSUED';
}
