import type { Choice } from './choices.ts';
import { nothing, orCrash, produce, script, step } from './choices.ts';
import type { Reserved } from './gate.ts';
import { confirm, release, reserve } from './gate.ts';
import type { RequestRecord, World } from './world.ts';

/** An api with one caller, who asks again until `tries` are used up. */
export interface Client {
  kind: 'client';
  name: string;
  user: string;
  tries: number;
  at: 'idle' | 'publish' | 'confirm' | 'answer';
  id: number;
  epoch: number;
}

export function newClient(name: string, user: string, tries: number): Client {
  return { kind: 'client', name, user, tries, at: 'idle', id: 0, epoch: 0 };
}

/** `assign-coupon.ts`: reserve → publish → confirm → answer. Whatever fails, the user asks again. */
export function clientChoices(world: World, client: Client): readonly Choice[] {
  if (client.at === 'idle') {
    return client.tries === 0 ? nothing : reserveChoices(world, client);
  }
  return orCrash(world, client.name, () => giveUp(client), requestChoices(world, client));
}

function reserveChoices(world: World, client: Client): Choice[] {
  const run = (): Reserved => {
    client.tries--;
    return reserve(world, client.user);
  };
  const heard = (reply: Reserved): void => admitted(world, client, reply);
  return script(world, client.name, `reserve for ${client.user}`, run, heard, () => giveUp(client));
}

function admitted(world: World, client: Client, reply: Reserved): void {
  if (!('id' in reply)) {
    if (reply.code !== 'fenced') {
      turnAway(world, client.user, reply.code);
    }
    return;
  }
  client.id = reply.id;
  client.epoch = reply.epoch;
  const atOnce =
    reply.code === 'replayed' ||
    (reply.code === 'pending' && world.mutation === 'pendingAnsweredAtOnce');
  client.at = atOnce ? 'answer' : 'publish';
}

function requestChoices(world: World, client: Client): Choice[] {
  const { name, id, user, epoch } = client;
  switch (client.at) {
    case 'publish': {
      const request: RequestRecord = { kind: 'request', id, user, epoch };
      return produce(world, name, `publish ${id} of epoch ${epoch}`, [request], {
        acknowledged: () => {
          client.at = world.mutation === 'noConfirm' ? 'answer' : 'confirm';
        },
        timedOut: () => {
          if (world.mutation === 'stockBackOnTimeout') {
            release(world, [request]);
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
        () => confirm(world, epoch, [id]),
        (confirmed) => {
          if (confirmed) {
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
          acknowledge(world, id, user);
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

function acknowledge(world: World, id: number, user: string): void {
  const before = world.acknowledged.find((answer) => answer.user === user);
  if (before === undefined) {
    world.acknowledged.push({ id, user });
  } else if (before.id !== id && !world.overcommitted) {
    world.broken = `I3: ${user} was answered ${before.id}, then ${id}`;
  }
}

function turnAway(world: World, user: string, why: string): void {
  if (!world.overcommitted && world.acknowledged.some((answer) => answer.user === user)) {
    world.broken = `I3: ${user} was acknowledged, then told that the coupon is ${why}`;
  }
}
