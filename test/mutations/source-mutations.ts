/** A change of the sources that breaks a promise, and the test that tells so. */
export interface SourceMutation {
  /** What the code does with it. */
  name: string;
  file: string;
  /** What stands in the file, exactly once, and what is put there. */
  edits: readonly (readonly [from: string, to: string])[];
  spec: string;
  /** The name of a test in `spec`, or a part of it. */
  test: string;
}

/**
 * Changes that once lived through the whole suite, or might have. `npm run test:mutations` puts each
 * into the code and demands that its test fails.
 */
export const sourceMutations: readonly SourceMutation[] = [
  {
    name: 'the ledger issues what it has refused before',
    file: 'libs/ledger/issuance-ledger.ts',
    edits: [
      [
        'if (!isAllIssuedAnew(chunk) || (await isAnyRefused(manager, requests))) {',
        'if (!isAllIssuedAnew(chunk) || ((await isAnyRefused(manager, requests)) && false)) {',
      ],
    ],
    spec: 'libs/ledger/issuance-ledger.int.spec.ts',
    test: 'refused once is refused for good',
  },
  {
    name: 'the issuer gives units back by coupon, whatever their epochs',
    file: 'apps/issuer/decide-issuances.ts',
    edits: [['({ couponId, epoch }) => `${couponId}:${epoch}`', '({ couponId }) => `${couponId}`']],
    spec: 'apps/issuer/decide-issuances.int.spec.ts',
    test: 'a refused unit comes back although the same chunk refuses requests of an older epoch',
  },
  {
    name: 'a recovery opens a gate although another has overtaken it',
    file: 'apps/keeper/recovery/gate-rebuild.ts',
    edits: [['coupon?.epoch !== epoch', 'coupon === null']],
    spec: 'apps/keeper/recovery/gate-rebuild.int.spec.ts',
    test: 'a recovery that a newer one has overtaken in MySQL opens nothing',
  },
  {
    name: 'the watermark reads the ends of the log before it looks at the gates',
    file: 'apps/keeper/gates/decided-watermark.ts',
    edits: [
      [
        'const watermark = this.oldestUnsettled(await this.survey.recent());',
        'const ends = await this.issuers.ends();\n' +
          'const watermark = this.oldestUnsettled(await this.survey.recent());',
      ],
      [
        `    const ends = await this.issuers.ends();
    if (await`,
        '    if (await',
      ],
    ],
    spec: 'apps/keeper/gates/decided-watermark.int.spec.ts',
    test: 'whoever is acknowledged between its two reads, and is not decided, is not vouched for',
  },
  {
    name: 'the watermark covers the reservation whose time it is',
    file: 'apps/api/status/issuance-status.ts',
    edits: [['reservedAt < watermark', 'reservedAt <= watermark']],
    spec: 'apps/api/status/issuance-status.int.spec.ts',
    test: 'the oldest reservation still pending is ACCEPTED',
  },
  {
    name: 'the relay forgets its coupons when MySQL is away',
    file: 'apps/keeper/gates/relay.ts',
    edits: [['return this.lastRunning;', 'return [];']],
    spec: 'apps/keeper/gates/relay.int.spec.ts',
    test: 'finishes what was reserved before it and after it, also while MySQL is away',
  },
  {
    name: 'the sync of coupons never applies a change',
    file: 'apps/keeper/gates/coupon-sync.ts',
    edits: [['gate.version < coupon.version', 'gate.version < coupon.version && false']],
    spec: 'apps/keeper/gates/coupon-sync.int.spec.ts',
    test: 'a change whose manager died before it came to the gate is applied there',
  },
  {
    name: 'a delivery commits a partition that another consumer has by now',
    file: 'libs/event-log/consume/partition/delivery.ts',
    edits: [
      [
        'return this.generation === this.membership.generation && this.membership.owns(this);',
        'return true;',
      ],
    ],
    spec: 'libs/event-log/consume/partition/delivery.int.spec.ts',
    test: 'one that outlives its join commits nothing',
  },
  {
    name: 'a survey takes its time when everything has been read',
    file: 'apps/keeper/gates/gate-survey.ts',
    edits: [
      ['return { takenAt, coupons };', 'return { takenAt: await this.gate.now(), coupons };'],
    ],
    spec: 'apps/keeper/gates/gate-survey.int.spec.ts',
    test: 'whoever is admitted while a survey is taken, and is not in it, was not there before its time',
  },
  {
    name: 'a status reads MySQL before the watermark',
    file: 'apps/api/status/issuance-status.ts',
    edits: [
      ['// The watermark is read before', 'const early = await this.lookups.find(issuanceId); //'],
      ['isKnown ? hint : await this.lookups.find(issuanceId)', 'isKnown ? hint : early'],
    ],
    spec: 'apps/api/status/issuance-status.int.spec.ts',
    test: 'one that is decided while its status is read, as the watermark passes it, is not 404',
  },
];

/** The source with the change in it. Throws where it no longer applies: then it is to be written anew. */
export function mutate(source: string, { name, file, edits }: SourceMutation): string {
  return edits.reduce((text, [from, to]) => {
    const parts = text.split(from);
    if (parts.length !== 2) {
      throw new Error(`"${name}": ${file} has ${parts.length - 1} times what it replaces: ${from}`);
    }
    return parts.join(to);
  }, source);
}
