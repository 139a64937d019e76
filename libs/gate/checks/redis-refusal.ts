/** A kind of no that Redis says to whoever asks, whatever was asked. */
interface Refusal {
  /** In what Redis says: at its beginning, or inside where a script was told so. */
  sign: RegExp;
  words: string;
  /** Another server may stand behind the address by now, or a new login be believed. */
  isMendedByReconnecting?: true;
}

const refusals: Refusal[] = [
  {
    sign: /\bOOM\b/,
    words: 'is full (maxmemory) and takes no writes: raise maxmemory, or free memory',
  },
  {
    sign: /\bREADONLY\b/,
    words: 'is a replica and takes no writes: its URL must lead to the primary',
    isMendedByReconnecting: true,
  },
  {
    sign: /\bMASTERDOWN\b/,
    words: 'is a replica that has lost its primary: its URL must lead to the primary',
    isMendedByReconnecting: true,
  },
  {
    sign: /\bMISCONF\b/,
    words: 'takes no writes since it cannot save to its disk: make room there, its log says more',
  },
  {
    sign: /\bNOREPLICAS\b/,
    words: 'takes no writes while it has too few replicas (min-replicas-to-write)',
  },
  {
    sign: /\bNOAUTH\b|\bWRONGPASS\b|invalid password|AUTH <password> called/,
    words: 'does not believe our login: check user and password in its URL',
    isMendedByReconnecting: true,
  },
  {
    sign: /\bNOPERM\b|ACL failure|user executing the script can't/,
    words: 'does not let our user do what we need',
  },
  { sign: /\bLOADING\b/, words: 'is loading its data' },
  {
    sign: /\bBUSY\b|\bUNKILLABLE\b/,
    words: 'is busy with a script that does not end: SCRIPT KILL, or restart it',
  },
  { sign: /DB index is out of range/, words: 'has no database of the number in its URL' },
  { sign: /\bDENIED\b/, words: 'is in protected mode and lets nobody in from here' },
  { sign: /max number of clients/, words: 'has no connection left for us (maxclients)' },
  {
    sign: /\b(?:MOVED|ASK|CLUSTERDOWN|CROSSSLOT)\b/,
    words: 'is a node of a cluster, which firstcome cannot use',
  },
];

/**
 * Redis answered, and said no to a command that is right: it cannot, or may not, do it as things are.
 * Nothing was written by that command.
 */
export function isRefusal(error: unknown): boolean {
  return findRefusal(error) !== undefined;
}

/** A new connection may be served where this one is refused. */
export function isMendedByReconnecting(error: unknown): boolean {
  return findRefusal(error)?.isMendedByReconnecting === true;
}

/** What a failure of a command says about the Redis of this name, in words. */
export function describeRedisFailure(redisName: string, error: unknown): string {
  const { message } = error as Error;
  const refusal = findRefusal(error);
  return refusal === undefined
    ? `${redisName} is not reachable: ${message}`
    : `${redisName} ${refusal.words} (${message.split(' script: ')[0]})`;
}

function findRefusal(error: unknown): Refusal | undefined {
  const { message = '' } = (error ?? {}) as { message?: string };
  return refusals.find(({ sign }) => sign.test(message));
}
