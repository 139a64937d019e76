import type { Scope } from '#identity/api-key.ts';

/** What is of no user: anybody may see it. */
const open = new Set(['/api/v1/coupons/:coupon_id']);

/** Whether its body says for whom it is: a user's token says the same then, or says it instead. */
export function isForNamedUser(route: string | undefined): boolean {
  return route === '/api/v1/coupons/assign';
}

/**
 * What a machine needs for a route; nothing for one that asks nobody who he is. A route that is not
 * thought of here asks: to be left out it must be named.
 */
export function neededScope(method: string, route: string | undefined): Scope | undefined {
  // A preflight of a browser never has a token, and OPTIONS is answered by nothing else.
  if (route?.startsWith('/api/') !== true || method === 'OPTIONS') {
    return undefined;
  }
  if (open.has(route)) {
    return undefined;
  }
  return method === 'GET' || method === 'HEAD' ? 'read' : 'assign';
}
