import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Coupons that are archived, and the keys by which what has lived long enough is found. */
export class Archive1764200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER TABLE coupon
         ADD COLUMN archived_at BIGINT UNSIGNED NULL AFTER kafka_partition,
         ADD KEY archived_at (archived_at)`,
    );
    await runner.query('ALTER TABLE refusal ADD KEY refused_at (refused_at)');
    await runner.query('ALTER TABLE coupon_change ADD KEY changed_at (changed_at)');
    await runner.query('ALTER TABLE dead_letter ADD KEY settled_at (settled_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE dead_letter DROP KEY settled_at');
    await runner.query('ALTER TABLE coupon_change DROP KEY changed_at');
    await runner.query('ALTER TABLE refusal DROP KEY refused_at');
    await runner.query('ALTER TABLE coupon DROP KEY archived_at, DROP COLUMN archived_at');
  }
}
