import { expect, test } from 'vitest';
import { neededScope } from './route-rules.ts';

test.each([
  ['POST', '/api/v1/coupons/assign', 'assign'],
  ['GET', '/api/v1/issuances/:issuance_id', 'read'],
  ['HEAD', '/api/v1/issuances/:issuance_id/events', 'read'],
  ['GET', '/api/v1/users/:user_id/coupons', 'read'],
  ['POST', '/api/v1/a-route-that-nobody-has-thought-of', 'assign'],
  ['DELETE', '/api/v1/a-route-that-nobody-has-thought-of', 'assign'],
  ['PUT', '/api/v1/coupons/assign', 'assign'],
])('%s %s asks, and a machine needs %s', (method, route, scope) => {
  expect(neededScope(method, route)).toBe(scope);
});

test.each([
  ['GET', '/api/v1/coupons/:coupon_id'],
  ['GET', '/health/ready'],
  ['GET', '/docs'],
  ['OPTIONS', '/api/v1/coupons/assign'],
  ['GET', undefined],
])('%s %s asks nobody', (method, route) => {
  expect(neededScope(method, route)).toBeUndefined();
});
