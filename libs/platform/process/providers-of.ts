import type { Provider } from '@nestjs/common';

/** For Nest: each of these is injected wherever a constructor asks for its class. */
export function providersOf(...instances: object[]): Provider[] {
  return instances.map((instance) => ({ provide: instance.constructor, useValue: instance }));
}
