import type { Choice } from '../choices.ts';
import { nothing, orCrash, script, step } from '../choices.ts';
import { release } from '../gate/scripts.ts';
import { applyMarker, decideChunk } from '../ledger.ts';
import type { LogRecord, RequestRecord, World } from '../world.ts';
import { unknownCoupon } from '../world.ts';

/** One of the consumers of the partition; a second one is a zombie that has not noticed yet. */
export interface Issuer {
  kind: 'issuer';
  name: string;
  at: 'idle' | 'decide' | 'release' | 'tell' | 'commit';
  /** The chunk: records from `from` up to but not with `to`. */
  from: number;
  to: number;
  refused: RequestRecord[];
  decisions: [id: number, status: string][];
}

const chunkSizeMax = 3;

export function newIssuer(name: string): Issuer {
  return { kind: 'issuer', name, at: 'idle', from: 0, to: 0, refused: [], decisions: [] };
}

/**
 * `issuance-consumer.ts` and `decide-issuances.ts`: fetch a chunk → decide → release what was refused
 * → publish the decisions → commit the offset.
 */
export function issuerChoices(world: World, issuer: Issuer): readonly Choice[] {
  if (issuer.at === 'idle') {
    return world.committed < world.log.length
      ? [step(issuer.name, `fetch from ${world.committed}`, () => fetch(world, issuer))]
      : nothing;
  }
  return orCrash(world, issuer.name, () => forget(issuer), chunkChoices(world, issuer));
}

/** Requests that stand together are a chunk; anything else is a chunk of its own. */
function fetch({ log, committed, mutation }: World, issuer: Issuer): void {
  const isMixed = mutation === 'garbageTakesNeighbours';
  const isRequest = (record: LogRecord | undefined): boolean =>
    record?.kind === 'request' || (isMixed && record?.kind === 'garbage');
  let to = committed + 1;
  while (isRequest(log[committed]) && isRequest(log[to]) && to < committed + chunkSizeMax) {
    to++;
  }
  issuer.from = committed;
  issuer.to = to;
  issuer.at = 'decide';
}

function chunkChoices(world: World, issuer: Issuer): Choice[] {
  const { name } = issuer;
  switch (issuer.at) {
    case 'decide':
      return decideChoices(world, issuer);
    case 'release':
      return releaseChoices(world, issuer);
    case 'tell':
      return [step(name, 'publish decisions', () => tell(world, issuer))];
    default:
      return [step(name, `commit offset ${issuer.to}`, () => commit(world, issuer))];
  }
}

/** One call for what is of the same coupon and epoch. */
function releaseChoices(world: World, issuer: Issuer): Choice[] {
  const { coupon, epoch } = issuer.refused[0]!;
  const isOurs = (one: RequestRecord): boolean => one.coupon === coupon && one.epoch === epoch;
  const ours = issuer.refused.filter(isOurs);
  const released = (): void => {
    issuer.refused = issuer.refused.filter((one) => !isOurs(one));
    if (issuer.refused.length === 0) {
      afterRelease(world, issuer);
    }
  };
  return script(
    world,
    issuer.name,
    `release ${ours.map(({ id }) => id).join(' ')}`,
    () => release(world, coupon, epoch, ours),
    released,
    () => forget(issuer),
  );
}

function afterRelease({ mutation }: World, issuer: Issuer): void {
  if (mutation === 'offsetBeforeRelease') {
    forget(issuer);
  } else {
    issuer.at = 'tell';
  }
}

function decideChoices(world: World, issuer: Issuer): Choice[] {
  const { name, from, to } = issuer;
  const chunk = world.log.slice(from, to);
  const first = chunk[0];
  if (first?.kind === 'marker') {
    return [
      step(name, `apply marker ${first.epoch} of ${first.coupon}`, () => {
        applyMarker(world, first.coupon, first.epoch);
        issuer.at = 'commit';
      }),
    ];
  }
  if (chunk.some(({ kind }) => kind === 'garbage')) {
    return world.mutation === 'garbageStops'
      ? []
      : [step(name, `publish a dead letter of ${from}`, () => bury(world, issuer))];
  }
  const requests = chunk.filter((record): record is RequestRecord => record.kind === 'request');
  return [step(name, `decide ${from}-${to - 1}`, () => decide(world, issuer, requests))];
}

/** Bytes that are no request of ours. Told before the offset moves, so perhaps more than once. */
function bury({ log, deadLetters, mutation }: World, issuer: Issuer): void {
  for (let offset = issuer.from; offset < issuer.to; offset++) {
    const isTold = log[offset]?.kind === 'garbage' && !deadLetters.includes(offset);
    if (isTold && mutation !== 'garbageUnreported') {
      deadLetters.push(offset);
    }
  }
  issuer.at = 'commit';
}

function decide(world: World, issuer: Issuer, requests: readonly RequestRecord[]): void {
  const { mutation } = world;
  const skips = mutation === 'unknownCouponSkipped';
  const taken = skips ? requests.filter((one) => one.coupon !== unknownCoupon) : requests;
  const decisions = decideChunk(world, taken);
  // A coupon that is not there has no gate to give anything back to.
  issuer.refused = taken.filter(
    ({ coupon }, i) => decisions[i]?.status === 'REFUSED' && coupon !== unknownCoupon,
  );
  issuer.decisions = decisions.map(({ request, status }) => [Number(request.issuanceId), status]);
  const releases = issuer.refused.length > 0 && mutation !== 'offsetBeforeRelease';
  issuer.at = releases ? 'release' : 'tell';
}

function tell(world: World, issuer: Issuer): void {
  for (const [id, status] of issuer.decisions) {
    const before = world.decided[id];
    if (before !== undefined && before !== status) {
      world.broken = `I6: ${id} was decided ${before}, then ${status}`;
    }
    world.decided[id] = status;
  }
  issuer.at = 'commit';
}

/** A zombie's commit is not taken: the group has a newer generation. */
function commit(world: World, issuer: Issuer): void {
  world.committed = Math.max(world.committed, issuer.to);
  if (world.mutation === 'offsetBeforeRelease' && issuer.refused.length > 0) {
    issuer.at = 'release';
  } else {
    forget(issuer);
  }
}

/** What is not committed is fetched again, by this or another issuer. */
function forget(issuer: Issuer): void {
  Object.assign(issuer, newIssuer(issuer.name));
}
