/** What was asked cannot be done to this coupon; the message tells the manager why. */
export class CouponError extends Error {
  override readonly name = 'CouponError';
}
