import type { Choice } from '../choices.ts';
import { nothing, step } from '../choices.ts';
import { isDecided } from '../ledger.ts';
import type { World } from '../world.ts';

/** Someone who asks for the status of everything that was acknowledged by then, `polls` times. */
export interface Poller {
  kind: 'poller';
  name: string;
  polls: number;
  at: 'idle' | 'second';
  asked: number[];
  watermark: number;
  /** Those asked for that MySQL did not have. */
  missing: number[];
}

export function newPoller(name: string, polls: number): Poller {
  return { kind: 'poller', name, polls, at: 'idle', asked: [], watermark: 0, missing: [] };
}

/**
 * `issuance-status.ts`: the watermark, then MySQL. The hints are left out: they can only spare the
 * second. While all is decided there is nothing to learn by asking.
 */
export function pollerChoices(world: World, poller: Poller): readonly Choice[] {
  const [first, second] =
    world.mutation === 'ledgerBeforeWatermark'
      ? ([readLedger, readWatermark] as const)
      : ([readWatermark, readLedger] as const);
  if (poller.at === 'second') {
    const last = (): void => {
      second(world, poller);
      answer(world, poller);
      Object.assign(poller, newPoller(poller.name, poller.polls));
    };
    return [step(poller.name, second.name, last)];
  }
  if (poller.polls === 0 || world.acknowledged.every(({ id }) => isDecided(world, id))) {
    return nothing;
  }
  const begin = (): void => {
    poller.polls--;
    poller.asked = world.acknowledged.map(({ id }) => id);
    first(world, poller);
    poller.at = 'second';
  };
  return [step(poller.name, first.name, begin)];
}

function readWatermark(world: World, poller: Poller): void {
  poller.watermark = world.redis.watermark;
}

function readLedger(world: World, poller: Poller): void {
  poller.missing = poller.asked.filter((id) => !isDecided(world, id));
}

function answer(world: World, { missing, watermark }: Poller): void {
  const notFound = missing.find((id) => id < watermark);
  if (notFound !== undefined) {
    world.broken = `I3: ${notFound} was acknowledged and its status is 404`;
  }
}
