/** A unit taken from the stock, not yet promised to anybody. */
export interface Reservation {
  issuanceId: string;
  couponId: number;
  userId: string;
  /** The epoch of the gate when it was taken; void in the log behind a marker of a later one. */
  epoch: number;
  kafkaPartition: number;
  /** W3C trace context of the request, handed on through the log. */
  traceparent?: string;
}
