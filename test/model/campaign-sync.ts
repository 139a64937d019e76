import type { Choice } from './choices.ts';
import { nothing, orCrash, script, step } from './choices.ts';
import { applyCoupon, isOpen } from './gate.ts';
import { findCampaign } from './ledger.ts';
import type { Campaign, World } from './world.ts';

/** The loop of a keeper that brings a gate up to date with MySQL. */
export interface CampaignSync {
  kind: 'campaign-sync';
  name: string;
  at: 'idle' | 'inspect' | 'apply';
  campaign: Campaign | null;
}

export function newCampaignSync(name: string): CampaignSync {
  return { kind: 'campaign-sync', name, at: 'idle', campaign: null };
}

/** `campaign-sync.ts`, which begins only while there is something to do. */
export function campaignSyncChoices(world: World, sync: CampaignSync): readonly Choice[] {
  const { name } = sync;
  if (sync.at === 'idle') {
    const read = (): void => {
      sync.campaign = findCampaign(world);
      sync.at = 'inspect';
    };
    const begins = isBehind(world, world.mysql) && world.mutation !== 'noCampaignSync';
    return begins ? [step(name, 'read the campaign', read)] : nothing;
  }
  return orCrash(world, name, () => rest(sync), stepChoices(world, sync));
}

function stepChoices(world: World, sync: CampaignSync): Choice[] {
  const { name } = sync;
  const campaign = sync.campaign!;
  const done = (): void => rest(sync);
  if (sync.at === 'inspect') {
    const heard = (isToBeApplied: boolean): void => {
      if (isToBeApplied) {
        sync.at = 'apply';
      } else {
        rest(sync);
      }
    };
    return script(world, name, 'inspect the gate', () => isBehind(world, campaign), heard, done);
  }
  const run = (): unknown => applyCoupon(world, campaign);
  return script(world, name, `apply version ${campaign.version}`, run, done, done);
}

function isBehind(world: World, { version }: Campaign): boolean {
  return isOpen(world) && world.redis.meta!.version! < version;
}

function rest(sync: CampaignSync): void {
  Object.assign(sync, newCampaignSync(sync.name));
}
