import type { Command } from 'commander';
import { CouponArchive } from '#administration/coupon-archive.ts';
import { CouponError } from '#administration/coupon-error.ts';
import type { Coupon } from '#coupon/coupon.ts';
import type { OutputOptions } from './coupon-options.ts';
import { couponId, jsonOption, zoneOption } from './coupon-options.ts';
import type { CouponStores } from './coupon-stores.ts';

/** What runs one of these commands: opens the stores, and prints the coupon as it is afterwards. */
type RunOfOne = (
  options: OutputOptions,
  work: (stores: CouponStores) => Promise<Coupon>,
) => Promise<void>;

/** An issuer that runs is behind by less than a second, unless a rush is on. */
const decidedTimeoutMs = 30_000;

/** `firstcome coupon archive` and `unarchive`. */
export function addArchiveCommands(coupon: Command, run: RunOfOne): void {
  const add = (
    name: string,
    description: string,
    work: (archive: CouponArchive, id: number) => Promise<unknown>,
  ): void => {
    coupon
      .command(name)
      .description(description)
      .argument('<id>', 'the coupon', couponId)
      .addOption(zoneOption())
      .addOption(jsonOption())
      .action((id: number, options: OutputOptions) =>
        run(options, async (stores) => {
          await work(archiveOf(stores), id);
          return (await stores.coupons.find(id))!;
        }),
      );
  };
  add('archive', 'give up the gate of a coupon that has ended; its holders keep it', archiveOne);
  add('unarchive', 'give an archived coupon its gate back', (archive, id) => archive.unarchive(id));
}

async function archiveOne(archive: CouponArchive, id: number): Promise<void> {
  const kept = await archive.archive([id], AbortSignal.timeout(decidedTimeoutMs));
  const why = kept.get(id);
  if (why !== undefined) {
    throw new CouponError(`coupon ${id} is not archived: ${why}`);
  }
}

function archiveOf({ coupons, archived, gate, issuers }: CouponStores): CouponArchive {
  return new CouponArchive(coupons, archived, gate, issuers);
}
