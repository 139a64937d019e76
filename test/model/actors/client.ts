import type { Choice } from '../choices.ts';
import { nothing, orCrash, produce, script, step } from '../choices.ts';
import type { Outcome, Reserved } from '../gate/scripts.ts';
import { learn } from '../gate/prelude.ts';
import { confirm, release, reserve } from '../gate/scripts.ts';
import type { RequestRecord, World } from '../world.ts';

/** An api with one caller, who asks again until `tries` are used up. */
export interface Client {
  kind: 'client';
  name: string;
  user: string;
  coupon: number;
  tries: number;
  at: 'idle' | 'publish' | 'confirm' | 'answer';
  id: number;
  epoch: number;
}

export function newClient(name: string, user: string, tries: number, coupon = 0): Client {
  return { kind: 'client', name, user, coupon, tries, at: 'idle', id: 0, epoch: 0 };
}

/** `assign-coupon.ts`: reserve → publish → confirm → answer. Whatever fails, the user asks again. */
export function clientChoices(world: World, client: Client): readonly Choice[] {
  if (client.at === 'idle') {
    return client.tries === 0 ? nothing : reserveChoices(world, client);
  }
  return orCrash(world, client.name, () => giveUp(client), requestChoices(world, client));
}

function reserveChoices(world: World, client: Client): Choice[] {
  const { name, user, coupon } = client;
  const run = (): Reserved => {
    client.tries--;
    return reserve(world, coupon, [user]);
  };
  const heard = (reply: Reserved): void => {
    if (reply.gate === 'open') {
      learn(world, coupon, reply);
      client.epoch = reply.epoch;
      admitted(world, client, reply.outcomes[0]!);
    }
  };
  return script(world, name, `reserve ${coupon} for ${user}`, run, heard, () => giveUp(client));
}

function admitted(world: World, client: Client, outcome: Outcome): void {
  if (!('id' in outcome)) {
    turnAway(world, client, outcome.code);
    giveUp(client);
    return;
  }
  const { id, code } = outcome;
  client.id = id;
  const atOnce =
    code === 'replayed' || (code === 'pending' && world.mutation === 'pendingAnsweredAtOnce');
  client.at = atOnce ? 'answer' : 'publish';
}

function requestChoices(world: World, client: Client): Choice[] {
  const { name, id, user, coupon, epoch } = client;
  switch (client.at) {
    case 'publish': {
      const request: RequestRecord = { kind: 'request', id, user, coupon, epoch };
      return produce(world, name, `publish ${id} of epoch ${epoch}`, [request], {
        acknowledged: () => {
          client.at = world.mutation === 'noConfirm' ? 'answer' : 'confirm';
        },
        timedOut: () => {
          if (world.mutation === 'stockBackOnTimeout') {
            release(world, coupon, epoch, [request]);
          }
          giveUp(client);
        },
      });
    }
    case 'confirm':
      return script(
        world,
        name,
        `confirm ${id} of epoch ${epoch}`,
        () => confirm(world, coupon, epoch, [{ id, user }]),
        (reply) => {
          learn(world, coupon, reply);
          if (reply.isConfirmed) {
            client.at = 'answer';
          } else {
            giveUp(client);
          }
        },
        () => giveUp(client),
      );
    default:
      return [
        step(name, `answer ${user}: 200 ${id}`, () => {
          acknowledge(world, client);
          giveUp(client);
        }),
      ];
  }
}

/** Ends the request, with or without an answer. */
function giveUp(client: Client): void {
  client.at = 'idle';
  client.id = 0;
  client.epoch = 0;
}

function acknowledge(world: World, client: Client): void {
  const { id, user, coupon } = client;
  const before = acknowledgedTo(world, client);
  if (before === undefined) {
    world.acknowledged.push({ id, user, coupon });
  } else if (before.id !== id && !world.overcommitted) {
    world.broken = `I3: ${user} was answered ${before.id}, then ${id}`;
  }
}

function turnAway(world: World, client: Client, why: string): void {
  if (!world.overcommitted && acknowledgedTo(world, client) !== undefined) {
    world.broken = `I3: ${client.user} was acknowledged, then told that the coupon is ${why}`;
  }
}

function acknowledgedTo({ acknowledged }: World, { user, coupon }: Client) {
  return acknowledged.find((answer) => answer.user === user && answer.coupon === coupon);
}
