import type { Choice } from './choices.js';
import { fault, produce, script, step } from './choices.js';
import type { Reserved } from './protocol.js';
import { confirm, release, reserve } from './protocol.js';
import type { Client, RequestRecord, World } from './world.js';

export function newClient(name: string, user: string, tries: number): Client {
  return { kind: 'client', name, user, tries, at: 'idle', id: '', epoch: 0 };
}

/** `assign-coupon.ts`: reserve → publish → confirm → answer. Whatever fails, the user asks again. */
export function clientChoices(world: World, client: Client): Choice[] {
  if (client.at === 'idle') {
    return client.tries === 0 ? [] : reserveChoices(world, client);
  }
  return [
    ...requestChoices(world, client),
    ...fault(world, 'crashes', client.name, 'api crashes', () => giveUp(client)),
  ];
}

function reserveChoices(world: World, client: Client): Choice[] {
  const run = (): Reserved => {
    client.tries--;
    return reserve(world, client.user);
  };
  const heard = (reply: Reserved): void => admitted(world, client, reply);
  return script(world, client.name, 'reserve', run, heard, () => giveUp(client));
}

function admitted(world: World, client: Client, reply: Reserved): void {
  if (!('id' in reply)) {
    if (reply.code === 'sold_out') {
      tellSoldOut(world, client.user);
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
  const request: RequestRecord = { kind: 'request', id, user, epoch };
  switch (client.at) {
    case 'publish':
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
  client.id = '';
  client.epoch = 0;
}

function acknowledge(world: World, id: string, user: string): void {
  const before = world.acknowledged.find((answer) => answer.user === user);
  if (before === undefined) {
    world.acknowledged.push({ id, user });
  } else if (before.id !== id && !world.overcommitted) {
    world.broken = `I3: ${user} was answered ${before.id}, then ${id}`;
  }
}

function tellSoldOut(world: World, user: string): void {
  if (!world.soldOut.includes(user)) {
    world.soldOut.push(user);
  }
  if (!world.overcommitted && world.acknowledged.some((answer) => answer.user === user)) {
    world.broken = `I3: ${user} was acknowledged, then told that all is sold out`;
  }
}
