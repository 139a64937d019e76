import type { Choice } from './choices.ts';
import { nothing, orCrash, produce, script, step } from './choices.ts';
import { confirm, isFenced, listPending } from './gate.ts';
import type { RequestRecord, World } from './world.ts';

export interface Relay {
  kind: 'relay';
  name: string;
  at: 'idle' | 'publish' | 'confirm';
  batch: RequestRecord[];
}

export function newRelay(name: string): Relay {
  return { kind: 'relay', name, at: 'idle', batch: [] };
}

/** `relay.ts`: publishes and confirms what is pending, of any age. */
export function relayChoices(world: World, relay: Relay): readonly Choice[] {
  const { name } = relay;
  if (relay.at === 'idle') {
    const list = (): void => {
      relay.batch = listPending(world);
      relay.at = 'publish';
    };
    const isNothingPending = world.redis.pending.length === 0 || isFenced(world);
    return isNothingPending ? nothing : [step(name, 'list pending', list)];
  }
  const rest = (): void => {
    Object.assign(relay, newRelay(name));
  };
  return orCrash(world, name, rest, batchChoices(world, relay, rest));
}

function batchChoices(world: World, relay: Relay, rest: () => void): Choice[] {
  const { name, batch } = relay;
  const ids = batch.map(({ id }) => id);
  if (relay.at === 'publish') {
    const acknowledged = (): void => {
      relay.at = 'confirm';
    };
    return produce(world, name, `publish ${ids.join(' ')}`, batch, {
      acknowledged,
      timedOut: rest,
    });
  }
  const run = (): boolean => confirm(world, batch[0]!.epoch, ids);
  return script(world, name, `confirm ${ids.join(' ')}`, run, rest, rest);
}
