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
  releaseUnseen: 'a refused unit goes back to stock without a look at who holds it',
  noDeduplication: 'the issuer does not look at what it has decided before',

  lowerInLedgerFirst: 'a total is lowered in MySQL first, then at the gate',
  raiseAtGateFirst: 'a total is raised at the gate first, then in MySQL',
  noVersionAtGate: 'the gate applies a change whatever its version',
  noVersionTaken: 'a total is lowered at the gate with a version that MySQL did not give',
  changeUnseen: 'a change is made in MySQL though the coupon is no longer as it was read',
  noEpochAtLower: 'a total is lowered in MySQL without a look at the epoch the gate answered with',
  noFenceAtApply: 'a change is applied to a gate that is fenced',
  noHoldersAtApply: 'a total is lowered at the gate below what is held',
  noCouponSync: 'no keeper applies what is in MySQL and not yet at the gate',
  earlyCouponAtOpen: 'a recovery opens with the coupon as it was when the recovery began',
  stateBeforeHolder: 'a gate that is paused or closed turns holders away too',
  stateAtConfirm: 'a gate that is paused or closed confirms nothing',

  garbageStops: 'the issuer does not go past what it cannot read',
  garbageUnreported: 'the issuer skips what it cannot read without a dead letter',
  garbageTakesNeighbours: 'a chunk with something unreadable in it is skipped as a whole',
  unknownCouponSkipped: 'a request for a coupon that does not exist is skipped, not refused',

  pendingNotConsidered: 'the watermark is now, whatever is pending',
  nowAfterPending: 'the watermark: now is read after what is pending',
  endsBeforePending: 'the watermark: the ends of the log are read before what is pending',
  endsNotAwaited: 'the watermark is written without waiting for the issuers',
  ledgerBeforeWatermark: 'a status asks MySQL before it reads the watermark',
} as const;

export type Mutation = keyof typeof mutations;
