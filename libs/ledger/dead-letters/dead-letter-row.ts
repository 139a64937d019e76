import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';
import type { DeadLetter, DeadLetterState, RecordHeader } from '#coupon/dead-letter.ts';
import { count, milliseconds } from '../entities.ts';
import { bytesToUuid, uuidToBytes } from '../uuid-bytes.ts';

export const settledReasonLengthMax = 500;

/** A record of the log that is no request we can decide, and what became of it. */
@Entity('dead_letter')
@Index('place', ['topic', 'partition', 'offset'], { unique: true })
@Index('state', ['state', 'id'])
@Index('settled_at', ['settledAt'])
export class DeadLetterRow implements DeadLetter {
  @PrimaryGeneratedColumn({ type: 'bigint', unsigned: true })
  id!: number;

  @Column({ type: 'varchar', length: 249, charset: 'ascii', collation: 'ascii_bin' })
  topic!: string;

  @Column({ ...count, name: 'kafka_partition' })
  partition!: number;

  /** Text, since it may be above 2^53; the driver hands smaller ones on as numbers. */
  @Column({
    type: 'bigint',
    unsigned: true,
    name: 'kafka_offset',
    transformer: { to: (offset: string) => offset, from: String },
  })
  offset!: string;

  @Column({ ...milliseconds, name: 'recorded_at' })
  recordedAt!: number;

  @Column({ ...milliseconds, name: 'found_at' })
  foundAt!: number;

  @Column({ type: 'mediumblob', name: 'record_key', nullable: true })
  key!: Buffer | null;

  @Column({ type: 'mediumblob', name: 'record_value', nullable: true })
  value!: Buffer | null;

  /** JSON. Text, since MariaDB and MySQL mean different things by JSON. */
  @Column({
    type: 'mediumtext',
    transformer: { to: JSON.stringify, from: JSON.parse },
  })
  headers!: RecordHeader[];

  @Column({ type: 'varchar', length: 32, name: 'trace_id', nullable: true })
  traceId!: string | null;

  @Column({ type: 'text' })
  reason!: string;

  @Column({ type: 'varchar', length: 16 })
  state!: DeadLetterState;

  @Column({ ...milliseconds, name: 'settled_at', nullable: true })
  settledAt!: number | null;

  /** Why it was discarded. */
  @Column({
    type: 'varchar',
    length: settledReasonLengthMax,
    name: 'settled_reason',
    nullable: true,
  })
  settledReason!: string | null;

  /** The issuance that its redrive was given. */
  @Column({
    type: 'binary',
    length: 16,
    name: 'issuance_id',
    nullable: true,
    transformer: {
      to: (id: string | null | undefined) => id && uuidToBytes(id),
      from: (bytes: Buffer | null) => bytes && bytesToUuid(bytes),
    },
  })
  issuanceId!: string | null;
}
