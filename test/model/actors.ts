import type { CouponSync } from './actors/coupon-sync.ts';
import { couponSyncChoices } from './actors/coupon-sync.ts';
import type { Choice } from './choices.ts';
import type { Client } from './actors/client.ts';
import { clientChoices } from './actors/client.ts';
import {
  catalogueChoices,
  copyChoices,
  gateChoices,
  networkChoices,
  redisChoices,
} from './faults.ts';
import type { Issuer } from './actors/issuer.ts';
import { issuerChoices } from './actors/issuer.ts';
import type { Manager } from './actors/manager.ts';
import { managerChoices } from './actors/manager.ts';
import type { Recovery } from './actors/recovery.ts';
import { recoveryChoices } from './actors/recovery.ts';
import type { Relay } from './actors/relay.ts';
import { relayChoices } from './actors/relay.ts';
import type { Poller } from './actors/status.ts';
import { pollerChoices } from './actors/status.ts';
import type { Watermark } from './actors/watermark.ts';
import { watermarkChoices } from './actors/watermark.ts';
import type { World } from './world.ts';

export type Actor = Client | Poller | Issuer | Relay | Recovery | CouponSync | Watermark | Manager;

/** What goes on without anybody of ours. */
const surroundings = [networkChoices, redisChoices, copyChoices, gateChoices, catalogueChoices];

/** The actors, and their surroundings: each of them may do one thing at a time. */
export function partCount(world: World): number {
  return world.actors.length + surroundings.length;
}

/** What this part of the world may do next. */
export function choicesOfPart(world: World, part: number): readonly Choice[] {
  const actor = world.actors[part];
  return actor === undefined
    ? surroundings[part - world.actors.length]!(world)
    : actorChoices(world, actor);
}

/** Everything that may happen next in this world; nothing when it is at rest. */
export function choicesOf(world: World): Choice[] {
  return Array.from({ length: partCount(world) }, (_, part) => choicesOfPart(world, part)).flat();
}

function actorChoices(world: World, actor: Actor): readonly Choice[] {
  switch (actor.kind) {
    case 'client':
      return clientChoices(world, actor);
    case 'poller':
      return pollerChoices(world, actor);
    case 'issuer':
      return issuerChoices(world, actor);
    case 'relay':
      return relayChoices(world, actor);
    case 'recovery':
      return recoveryChoices(world, actor);
    case 'coupon-sync':
      return couponSyncChoices(world, actor);
    case 'watermark':
      return watermarkChoices(world, actor);
    case 'manager':
      return managerChoices(world, actor);
  }
}
