import type { Choice } from '../choices.ts';
import { look, nothing, orCrash, produce, script } from '../choices.ts';
import { learn } from '../gate/prelude.ts';
import type { Confirmed, Listed } from '../gate/scripts.ts';
import { confirm, isOpen, listPending } from '../gate/scripts.ts';
import type { LogRecord, World } from '../world.ts';

export interface Relay {
  kind: 'relay';
  name: string;
  coupon: number;
  at: 'idle' | 'publish' | 'confirm';
  listed: Listed;
}

export function newRelay(name: string, coupon = 0): Relay {
  return { kind: 'relay', name, coupon, at: 'idle', listed: { epoch: 0, serial: 0, pending: [] } };
}

/** `relay.ts`: publishes and confirms what is pending, of any age. */
export function relayChoices(world: World, relay: Relay): readonly Choice[] {
  const { name, coupon } = relay;
  const rest = (): void => {
    Object.assign(relay, newRelay(name, coupon));
  };
  if (relay.at !== 'idle') {
    return orCrash(world, name, rest, batchChoices(world, relay, rest));
  }
  const heard = (listed: Listed | null): void => {
    if (listed !== null) {
      learn(world, coupon, listed);
      relay.listed = listed;
      relay.at = 'publish';
    }
  };
  const list = (): Listed | null => listPending(world, coupon);
  const isAny = world.redis.gates[coupon]!.pending.length > 0 && isOpen(world, coupon);
  return isAny ? [look(name, 'list pending', list, heard)] : nothing;
}

function batchChoices(world: World, relay: Relay, rest: () => void): Choice[] {
  const { name, coupon, listed } = relay;
  const { epoch, pending } = listed;
  const ids = pending.map(({ id }) => id);
  if (relay.at === 'publish') {
    const batch = pending.map(({ id, user }): LogRecord =>
      user === null ? { kind: 'garbage' } : { kind: 'request', id, user, coupon, epoch },
    );
    const acknowledged = (): void => {
      relay.at = 'confirm';
    };
    return produce(world, name, `publish ${ids.join(' ')}`, batch, {
      acknowledged,
      timedOut: rest,
    });
  }
  const reserved = pending.map(({ id, user }) => ({ id, user: user ?? 'unknown' }));
  const run = (): Confirmed => confirm(world, coupon, epoch, reserved);
  const heard = (reply: Confirmed): void => {
    learn(world, coupon, reply);
    rest();
  };
  return script(world, name, `confirm ${ids.join(' ')}`, run, heard, rest);
}
