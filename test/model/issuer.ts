import type { Choice } from './choices.js';
import { fault, script, step } from './choices.js';
import { applyMarker, decideChunk, release } from './protocol.js';
import type { Issuer, RequestRecord, World } from './world.js';

const chunkSizeMax = 3;

export function newIssuer(name: string): Issuer {
  return { kind: 'issuer', name, at: 'idle', from: 0, to: 0, refused: [], decisions: [] };
}

/**
 * `issuance-consumer.ts` and `decide-issuances.ts`: fetch a chunk → decide → release what was refused
 * → publish the decisions → commit the offset.
 */
export function issuerChoices(world: World, issuer: Issuer): Choice[] {
  if (issuer.at === 'idle') {
    return world.committed < world.log.length
      ? [step(issuer.name, `fetch from ${world.committed}`, () => fetch(world, issuer))]
      : [];
  }
  return [
    ...chunkChoices(world, issuer),
    ...fault(world, 'crashes', issuer.name, 'crashes', () => forget(issuer)),
  ];
}

/** A chunk ends at a marker, which is a chunk of its own. */
function fetch({ log, committed }: World, issuer: Issuer): void {
  const rest = log.slice(committed, committed + chunkSizeMax);
  const marker = rest.findIndex((record) => record.kind === 'marker');
  issuer.from = committed;
  issuer.to = committed + (marker === -1 ? rest.length : Math.max(marker, 1));
  issuer.at = 'decide';
}

function chunkChoices(world: World, issuer: Issuer): Choice[] {
  const { name } = issuer;
  const early = world.mutation === 'offsetBeforeRelease';
  switch (issuer.at) {
    case 'decide':
      return [step(name, `decide ${issuer.from}-${issuer.to - 1}`, () => decide(world, issuer))];
    case 'release':
      return script(
        world,
        name,
        `release ${issuer.refused.map(({ id }) => id).join(' ')}`,
        () => release(world, issuer.refused),
        () => (early ? forget(issuer) : (issuer.at = 'tell')),
        () => forget(issuer),
      );
    case 'tell':
      return [step(name, 'publish decisions', () => tell(world, issuer))];
    default:
      return [step(name, `commit offset ${issuer.to}`, () => commit(world, issuer))];
  }
}

function decide(world: World, issuer: Issuer): void {
  const chunk = world.log.slice(issuer.from, issuer.to);
  const [first] = chunk;
  if (first?.kind === 'marker') {
    applyMarker(world, first.epoch);
    issuer.at = 'commit';
    return;
  }
  const requests = chunk.filter((record): record is RequestRecord => record.kind === 'request');
  const decisions = decideChunk(world, requests);
  issuer.refused = requests.filter((_, i) => decisions[i]?.status === 'REFUSED');
  issuer.decisions = decisions.map(({ request, status }) => [request.issuance_id, status]);
  const releases = issuer.refused.length > 0 && world.mutation !== 'offsetBeforeRelease';
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
