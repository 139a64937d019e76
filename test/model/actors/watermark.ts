import type { Choice } from '../choices.ts';
import { nothing, orCrash, script, step } from '../choices.ts';
import type { Inspection } from '../gate/scripts.ts';
import { inspect } from '../gate/scripts.ts';
import type { World } from '../world.ts';

/** The loop of a keeper that says before which time everything acknowledged is decided. */
export interface Watermark {
  kind: 'watermark';
  name: string;
  /** How often it may still begin. */
  runs: number;
  at: 'idle' | WatermarkStep;
  now: number;
  /** Of each gate that was looked at, its oldest pending; null where nothing is. */
  oldest: (number | null)[];
  /** Of each gate, the oldest pending when it was last found open, or the time of that look. */
  lastOpen: number[];
  end: number;
}

type WatermarkStep = 'now' | 'pending' | 'ends' | 'wait' | 'write';

const order: readonly WatermarkStep[] = ['now', 'pending', 'ends', 'wait', 'write'];
const mutatedOrders: Partial<Record<string, readonly WatermarkStep[]>> = {
  nowAfterPending: ['pending', 'now', 'ends', 'wait', 'write'],
  endsBeforePending: ['now', 'ends', 'pending', 'wait', 'write'],
  endsNotAwaited: ['now', 'pending', 'ends', 'write'],
};

export function newWatermark(name: string, runs: number, lastOpen: number[] = []): Watermark {
  return { kind: 'watermark', name, runs, at: 'idle', now: 0, oldest: [], lastOpen, end: 0 };
}

/** `decided-watermark.ts` */
export function watermarkChoices(world: World, watermark: Watermark): readonly Choice[] {
  const { name, runs, at } = watermark;
  const steps = mutatedOrders[world.mutation ?? ''] ?? order;
  if (at === 'idle') {
    const begin = (): void => {
      watermark.runs--;
      watermark.at = steps[0]!;
    };
    return runs === 0 ? nothing : [step(name, 'begin', begin)];
  }
  const forget = (): void => {
    Object.assign(watermark, newWatermark(name, runs));
  };
  const end = (): void => {
    Object.assign(watermark, newWatermark(name, runs, watermark.lastOpen));
  };
  const goOn = (): void => {
    watermark.at = steps[steps.indexOf(at) + 1]!;
  };
  return orCrash(world, name, forget, stepChoices(world, watermark, goOn, end));
}

/** The time is the id that would be given next: see `RequestRecord`. */
function stepChoices(
  world: World,
  watermark: Watermark,
  goOn: () => void,
  end: () => void,
): Choice[] {
  const { name } = watermark;
  const { redis, log, next } = world;
  switch (watermark.at) {
    case 'now':
      return script(world, name, 'read the time', () => (watermark.now = next.id), goOn, end);
    case 'pending': {
      const coupon = watermark.oldest.length;
      const isLast = coupon === redis.gates.length - 1 || world.mutation === 'oneGateConsidered';
      const run = (): Inspection => inspect(world, coupon);
      const heard = (inspection: Inspection): void => {
        watermark.oldest.push(oldestAt(world, watermark, coupon, inspection));
        if (isLast) {
          goOn();
        }
      };
      return script(world, name, `look at what is pending of ${coupon}`, run, heard, end);
    }
    case 'ends':
      return [
        step(name, 'read where the log ends', () => {
          watermark.end = log.length;
          goOn();
        }),
      ];
    case 'wait':
      return world.committed < watermark.end ? [] : [step(name, 'see it decided', goOn)];
    default: {
      const value = valueOf(world, watermark);
      const write = (): void => {
        redis.watermark = value;
      };
      return script(world, name, `write ${value}`, write, end, end);
    }
  }
}

/** A gate that is shut may have lost what was pending: it counts as when it was last seen open. */
function oldestAt(
  { mutation }: World,
  { now, lastOpen }: Watermark,
  coupon: number,
  { gate, oldestPending }: Inspection,
): number | null {
  const isHeld = mutation !== 'shutGateNotHeld' && mutation !== 'lostPendingUnseen';
  if (gate !== 'open' && isHeld) {
    return lastOpen[coupon] ?? 0;
  }
  const oldest = oldestPending === 0 ? null : oldestPending;
  lastOpen[coupon] = oldest ?? now;
  return oldest;
}

function valueOf({ mutation }: World, { now, oldest }: Watermark): number {
  return mutation === 'pendingNotConsidered'
    ? now
    : Math.min(now, ...oldest.filter((id) => id !== null));
}
