import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';
import type { DeadLetterState } from '#coupon/dead-letter.ts';
import { count, milliseconds } from './entities.ts';

/** A record of the log that is no request we can decide, and what became of it. */
@Entity('dead_letter')
@Index('place', ['topic', 'kafkaPartition', 'kafkaOffset'], { unique: true })
@Index('state', ['state', 'id'])
export class DeadLetterRow {
  @PrimaryGeneratedColumn({ type: 'bigint', unsigned: true })
  id!: string;

  @Column({ type: 'varchar', length: 249, charset: 'ascii', collation: 'ascii_bin' })
  topic!: string;

  @Column({ ...count, name: 'kafka_partition' })
  kafkaPartition!: number;

  @Column({ type: 'bigint', unsigned: true, name: 'kafka_offset' })
  kafkaOffset!: string;

  @Column({ ...milliseconds, name: 'recorded_at' })
  recordedAt!: number;

  @Column({ ...milliseconds, name: 'found_at' })
  foundAt!: number;

  @Column({ type: 'mediumblob', name: 'record_key', nullable: true })
  recordKey!: Buffer | null;

  @Column({ type: 'mediumblob', name: 'record_value', nullable: true })
  recordValue!: Buffer | null;

  /** JSON. Text, since MariaDB and MySQL mean different things by JSON. */
  @Column({ type: 'mediumtext' })
  headers!: string;

  @Column({ type: 'varchar', length: 32, name: 'trace_id', nullable: true })
  traceId!: string | null;

  @Column({ type: 'text' })
  reason!: string;

  @Column({ type: 'varchar', length: 16 })
  state!: DeadLetterState;

  @Column({ ...milliseconds, name: 'settled_at', nullable: true })
  settledAt!: number | null;

  @Column({ type: 'varchar', length: 500, name: 'settled_reason', nullable: true })
  settledReason!: string | null;

  @Column({ type: 'binary', length: 16, name: 'issuance_id', nullable: true })
  issuanceId!: Buffer | null;
}
