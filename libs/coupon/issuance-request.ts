/** Who asks for which coupon. */
export interface AssignRequest {
  couponId: number;
  userId: string;
  /** W3C trace context of the caller, handed on through the log. */
  traceparent?: string | undefined;
  /** What tracing notes on its way; a matter of tracing alone, and never written anywhere. */
  trail?: unknown[] | undefined;
  /**
   * Called when a unit was reserved that the user did not hold before, and nothing was published yet:
   * from here on it may be decided. Never written anywhere.
   */
  onReserved?: ((issuanceId: string) => void) | undefined;
}

/** What the gate has admitted and the log carries: to be issued, or refused, under this id. */
export interface IssuanceRequest extends AssignRequest {
  issuanceId: string;
  /** The epoch of the gate when it was reserved; void in the log behind a marker of a later one. */
  epoch: number;
  /** Milliseconds since 1970, by the gate's clock. */
  reservedAt: number;
}

/** A unit taken from the stock, not yet promised to anybody: its request goes to this partition. */
export interface Reservation extends IssuanceRequest {
  kafkaPartition: number;
}
