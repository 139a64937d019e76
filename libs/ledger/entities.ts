import { Check, Column, Entity, Index, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import type { CouponState } from '#coupon/coupon.ts';
import type { RefusalReason } from '#coupon/issuance.ts';

/** Ours are far below 2^53, so they come as numbers: see `createDataSource`. */
export const milliseconds = { type: 'bigint', unsigned: true } as const;

export const count = { type: 'int', unsigned: true } as const;

@Entity('coupon')
@Check('issued_within_total', 'issued <= total')
@Index('archived_at', ['archivedAt'])
export class CouponRow {
  @PrimaryGeneratedColumn({ type: 'int', unsigned: true })
  id!: number;

  @Column({ type: 'varchar', length: 100 })
  name!: string;

  @Column(count)
  total!: number;

  @Column({ ...count, default: 0 })
  issued!: number;

  @Column({ ...count, name: 'kafka_partition' })
  kafkaPartition!: number;

  @Column(count)
  version!: number;

  @Column({ type: 'varchar', length: 8 })
  state!: CouponState;

  @Column({ ...milliseconds, name: 'opens_at', nullable: true })
  opensAt!: number | null;

  @Column({ ...milliseconds, name: 'closes_at', nullable: true })
  closesAt!: number | null;

  @Column(count)
  epoch!: number;

  @Column({ ...count, name: 'applied_epoch' })
  appliedEpoch!: number;

  @Column({ ...milliseconds, name: 'archived_at', nullable: true })
  archivedAt!: number | null;

  @Column({ ...milliseconds, name: 'valid_until', nullable: true })
  validUntil!: number | null;
}

/**
 * A row here is what issuing means. User ids are bytes: collations call different users equal. TRAP:
 * this class, `RefusalRow` and `RedemptionRow` only say what the tables are; the SQL of this folder names each column.
 */
@Entity('issuance')
@Index('coupon_user', ['couponId', 'userId'], { unique: true })
@Index('user_id', ['userId', 'id'])
export class IssuanceRow {
  @PrimaryColumn({ type: 'binary', length: 16 })
  id!: Buffer;

  @Column({ ...count, name: 'coupon_id' })
  couponId!: number;

  @Column({ type: 'varbinary', length: 256, name: 'user_id' })
  userId!: Buffer;

  @Column(count)
  epoch!: number;

  @Column({ ...milliseconds, name: 'issued_at' })
  issuedAt!: number;
}

/** Why a request that is in the log was not honoured. */
@Entity('refusal')
@Index('refused_at', ['refusedAt'])
export class RefusalRow {
  @PrimaryColumn({ type: 'binary', length: 16, name: 'issuance_id' })
  issuanceId!: Buffer;

  @Column({ ...count, name: 'coupon_id' })
  couponId!: number;

  @Column({ type: 'varbinary', length: 256, name: 'user_id' })
  userId!: Buffer;

  @Column({ type: 'varchar', length: 16 })
  reason!: RefusalReason;

  @Column({ ...milliseconds, name: 'refused_at' })
  refusedAt!: number;
}

/** What was issued and is used up; the key makes it once. */
@Entity('redemption')
export class RedemptionRow {
  @PrimaryColumn({ type: 'binary', length: 16, name: 'issuance_id' })
  issuanceId!: Buffer;

  @Column({ ...milliseconds, name: 'redeemed_at' })
  redeemedAt!: number;

  /** What it was redeemed for, in the words of whoever did it. */
  @Column({ type: 'varbinary', length: 256, nullable: true })
  reference!: Buffer | null;
}

/** Every change of a coupon, with what the coupon was afterwards. */
@Entity('coupon_change')
@Index('changed_at', ['changedAt'])
export class CouponChangeRow {
  @PrimaryColumn({ ...count, name: 'coupon_id' })
  couponId!: number;

  @PrimaryColumn(count)
  version!: number;

  @Column({ type: 'varchar', length: 16 })
  action!: string;

  @Column(count)
  total!: number;

  @Column({ type: 'varchar', length: 8 })
  state!: CouponState;

  /** Unknown, like the times, in a row from before they could change. */
  @Column({ type: 'varchar', length: 100, nullable: true })
  name!: string | null;

  @Column({ ...milliseconds, name: 'opens_at', nullable: true })
  opensAt!: number | null;

  @Column({ ...milliseconds, name: 'closes_at', nullable: true })
  closesAt!: number | null;

  /** None in a row from before there was such a thing. */
  @Column({ ...milliseconds, name: 'valid_until', nullable: true })
  validUntil!: number | null;

  @Column({ ...milliseconds, name: 'changed_at' })
  changedAt!: number;
}
