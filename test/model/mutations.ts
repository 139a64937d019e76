/** One way to break the protocol each, and what it takes away. */
export const mutations = {
  noRunIdFence: 'the gate does not compare run ids',
  noConfirm: 'a client is answered as soon as its request is in the log',
  noMarker: 'a recovery writes no marker and waits for none',
  noVoid: 'the issuer issues requests that stand behind the marker of a later epoch',
  noMinEpochFence: 'reserve and confirm do not look at min_epoch again',
  markerBeforeFence: 'a recovery writes its marker before it fences the gate',
  noRunIdAtOpen: 'the opening of a gate does not compare the run id with the claimed one',
  noTokenAtOpen: 'the opening of a gate does not look whose claim it is',
  noMinEpochAtOpen: 'the opening of a gate does not look at min_epoch again',
  recheckBeforeClaim: 'a recovery looks at the epoch of MySQL before it claims the token',
  stockBackOnTimeout: 'an api gives the unit back when its produce times out',
  pendingAnsweredAtOnce: 'a repeat whose id is still pending is answered at once',
  offsetBeforeRelease: 'the issuer commits the offset before it releases refused units',
  noDeduplication: 'the issuer does not look at what it has decided before',
} as const;

export type Mutation = keyof typeof mutations;
