import { Column, Entity, PrimaryColumn } from 'typeorm';
import { milliseconds } from '../entities.ts';

const ascii = { charset: 'ascii', collation: 'ascii_bin' } as const;

export const apiKeyNameLengthMax = 100;

/** A key of a machine: never the key, only its hash. */
@Entity('api_key')
export class ApiKeyRow {
  @PrimaryColumn({ type: 'char', length: 12, ...ascii })
  id!: string;

  @Column({ type: 'varchar', length: apiKeyNameLengthMax })
  name!: string;

  /** What it may do, separated by commas. */
  @Column({ type: 'varchar', length: 64, ...ascii })
  scopes!: string;

  @Column({ type: 'binary', length: 32 })
  hash!: Buffer;

  @Column({ ...milliseconds, name: 'created_at' })
  createdAt!: number;

  /** Up to some seconds late: see `ApiKeyLedger.noteUsed`. */
  @Column({ ...milliseconds, name: 'last_used_at', nullable: true })
  lastUsedAt!: number | null;

  /** From when on it is none any more: revoked, or replaced by another. */
  @Column({ ...milliseconds, name: 'ends_at', nullable: true })
  endsAt!: number | null;

  @Column({ type: 'char', length: 12, name: 'replaced_by', nullable: true })
  replacedBy!: string | null;
}
