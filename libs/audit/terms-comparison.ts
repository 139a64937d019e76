import type { Coupon } from '#coupon/coupon.js';
import type { CampaignTerms } from '#reservation/gate-replies.js';

/** Where the gate goes by something else than MySQL says, a line each. */
export function compareTerms(coupon: Coupon, terms: CampaignTerms): string[] {
  const names: Record<keyof CampaignTerms, string> = {
    version: 'version',
    total: 'total',
    state: 'state',
    opensAt: 'opens_at',
    closesAt: 'closes_at',
    kafkaPartition: 'kafka_partition',
  };
  return Object.entries(names).flatMap(([key, name]) => {
    const [inLedger, atGate] = [coupon, terms].map((one) => one[key as keyof CampaignTerms]);
    return inLedger === atGate
      ? []
      : `${name}: MySQL has ${inLedger ?? 'none'}, the gate ${atGate ?? 'none'}`;
  });
}
