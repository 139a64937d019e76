import type { Choice } from './choices.js';
import { clientChoices } from './client.js';
import { faultChoices, networkChoices } from './faults.js';
import { issuerChoices } from './issuer.js';
import { recoveryChoices, relayChoices } from './keeper.js';
import type { Actor, World } from './world.js';

/** Everything that may happen next in this world; nothing when it is at rest. */
export function choicesOf(world: World): Choice[] {
  const ofActors = world.actors.flatMap((actor) => actorChoices(world, actor));
  return [...ofActors, ...networkChoices(world), ...faultChoices(world)];
}

function actorChoices(world: World, actor: Actor): Choice[] {
  switch (actor.kind) {
    case 'client':
      return clientChoices(world, actor);
    case 'issuer':
      return issuerChoices(world, actor);
    case 'relay':
      return relayChoices(world, actor);
    case 'recovery':
      return recoveryChoices(world, actor);
  }
}
