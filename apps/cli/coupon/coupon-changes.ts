import type { CouponTimes } from '#administration/coupon-terms.ts';
import { problemOfTimes, withClosingTime } from '#administration/coupon-terms.ts';
import type { Coupon } from '#coupon/coupon.ts';
import { partitionCount } from '#event-log/inspect/log-admin.ts';
import { topicNames } from '#event-log/topics.ts';
import type { Config } from '#platform/config/config.ts';
import { confirmed } from '#platform/command/confirmation.ts';
import { CommandError, WrongUseError } from '../command-error.ts';
import type { OutputOptions } from './coupon-options.ts';
import type { CouponStores } from './coupon-stores.ts';
import { administrationOf } from './coupon-stores.ts';
import { describeSpan } from '../times/time-view.ts';

export interface CreateOptions extends OutputOptions {
  id?: number;
  name?: string;
  total: number;
  opensAt?: number;
  closesAt?: number;
  validUntil?: number;
  ifAbsent?: true;
  yes?: true;
}

/** Times are in milliseconds; `none` is no limit. */
export interface SetTimesOptions extends OutputOptions {
  opensAt?: number | 'none';
  closesAt?: number | 'none';
  validUntil?: number | 'none';
  yes?: true;
}

interface Asked {
  yes?: true;
}

type Given = { [time in keyof CouponTimes]?: number | null | undefined };

/** Throws what can be said of it without the stores. */
export function checkCreate({ id, ifAbsent, ...times }: CreateOptions): void {
  if (ifAbsent && id === undefined) {
    throw new WrongUseError('--if-absent needs --id');
  }
  refuseTimes(times);
}

/** Throws what can be said of it without the stores. */
export function checkSetTimes({ opensAt, closesAt, validUntil }: SetTimesOptions): void {
  if (opensAt === undefined && closesAt === undefined && validUntil === undefined) {
    throw new WrongUseError('say what to change: --opens-at, --closes-at, --valid-until');
  }
  refuseTimes({
    opensAt: orNull(opensAt),
    closesAt: orNull(closesAt),
    validUntil: orNull(validUntil),
  });
}

export async function createCoupon(
  stores: CouponStores,
  config: Config,
  options: CreateOptions,
): Promise<Coupon> {
  const { id, name, total, opensAt = null, validUntil = null } = options;
  const { closesAt } = withClosingTime({ closesAt: options.closesAt ?? null, validUntil });
  const times = { opensAt, closesAt, validUntil };
  const draft = { total, ...times, ...(name === undefined ? {} : { name }) };
  const now = await stores.gate.now();
  if (closesAt !== null && closesAt <= now) {
    const ago = describeSpan(now - closesAt);
    const option = options.closesAt === undefined ? '--valid-until' : '--closes-at';
    await demandYes(options, `${option} was ${ago} ago: the coupon is closed from the start`);
  }
  const partitions = await countPartitions(stores, config);
  const administration = administrationOf(stores);
  return options.ifAbsent && id !== undefined
    ? administration.createIfAbsent({ ...draft, id }, partitions)
    : administration.create(id === undefined ? draft : { ...draft, id }, partitions);
}

export async function closeCoupon(
  stores: CouponStores,
  couponId: number,
  options: Asked,
): Promise<Coupon> {
  const administration = administrationOf(stores);
  const { name, issued, total } = await administration.find(couponId);
  const what = `coupon ${couponId}, ${JSON.stringify(name)}, of which ${issued} of ${total} are issued`;
  await demandYes(options, `closing is final: ${what}, will never admit anybody new again`);
  return administration.close(couponId);
}

/** Asks before a sale ends that goes on, and before one goes on whose clients were told that it is over. */
export async function setTimes(
  stores: CouponStores,
  couponId: number,
  options: SetTimesOptions,
): Promise<Coupon> {
  const administration = administrationOf(stores);
  const opensAt = orNull(options.opensAt);
  const closesAt = orNull(options.closesAt);
  const validUntil = orNull(options.validUntil);
  const before = await administration.find(couponId);
  if (before.state !== 'closed' && closesAt !== undefined && closesAt !== before.closesAt) {
    await askAboutEnd(before, closesAt, await stores.gate.now(), options);
  }
  if (typeof validUntil === 'number' && validUntil <= (await stores.gate.now())) {
    const over = `nobody who has one of coupon ${couponId} can redeem it from now on`;
    await demandYes(options, `that time has passed: ${over}`);
  }
  return administration.setTimes(couponId, {
    ...(opensAt === undefined ? {} : { opensAt }),
    ...(closesAt === undefined ? {} : { closesAt }),
    ...(validUntil === undefined ? {} : { validUntil }),
  });
}

async function askAboutEnd(
  { id, closesAt: before }: Coupon,
  closesAt: number | null,
  now: number,
  asked: Asked,
): Promise<void> {
  if (closesAt !== null && closesAt <= now) {
    await demandYes(asked, `that time has passed: coupon ${id} admits nobody new from now on`);
  } else if (before !== null && before <= now) {
    const told = `coupon ${id} closed ${describeSpan(now - before)} ago, and clients were told so`;
    await demandYes(asked, `${told}: it admits again from now on`);
  }
}

function orNull(time: number | 'none' | undefined): number | null | undefined {
  return time === 'none' ? null : time;
}

/** Those that are given. */
function refuseTimes({ opensAt = null, closesAt, validUntil = null }: Given): void {
  // When it closes may be known already.
  const problem = problemOfTimes(opensAt, closesAt ?? validUntil, validUntil);
  if (problem !== undefined) {
    throw new WrongUseError(problem);
  }
}

/** Goes on only with `--yes`, or when the person at the terminal says so. */
async function demandYes({ yes }: Asked, consequence: string): Promise<void> {
  if (yes) {
    return;
  }
  const answer = await confirmed(`firstcome: ${consequence}. Go on?`);
  if (answer === undefined) {
    throw new WrongUseError(`${consequence}. If that is meant, say --yes`);
  }
  if (!answer) {
    throw new CommandError('nothing was changed');
  }
}

async function countPartitions({ admin }: CouponStores, config: Config): Promise<number> {
  const { requested } = topicNames(config.KAFKA_TOPIC_PREFIX);
  const count = await partitionCount(admin, requested);
  if (count === 0) {
    throw new CommandError(`the topic ${requested} is missing: run the migrate command`);
  }
  return count;
}
