/** The keys of take.lua, in the order it takes them. */
export function takeKeys(prefix: string, couponId: number): { left: string; holders: string } {
  return { left: `${prefix}take:${couponId}:left`, holders: `${prefix}take:${couponId}:holders` };
}
